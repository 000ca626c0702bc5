// HTTP to our server: JSON in and out, the CSRF token with every write, errors in words.

import { t } from "./i18n.js";

/** An answer that is not a success: `status` (0: no answer at all) and words for people. */
export class ApiError extends Error {
  constructor(status, words, problem = null) {
    super(words);
    this.status = status;
    this.problem = problem;
  }
}

let csrf = null;

/** Who is signed in: {name, role, tenant_id, csrf_token}; also arms all writes with the token. */
export async function whoAmI() {
  const me = await request("GET", "/api/me");
  csrf = me.csrf_token;
  return me;
}

export const get = (path) => request("GET", path);
export const post = (path, body = {}) => request("POST", path, body);

/** A one-time ticket for a WebSocket: target is "agent:ID", "call:ID" or "live". */
export async function feedTicket(target) {
  return (await post("/api/feed-tickets", { target })).ticket;
}

/** Leaves the page for the login. */
export function toLogin() {
  location.assign("/login");
}

async function request(method, path, body) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && csrf !== null) headers["X-CSRF-Token"] = csrf;
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new ApiError(0, t("error.network"));
  }
  const type = response.headers.get("Content-Type") ?? "";
  const data = type.includes("json") ? await response.json() : null;
  if (response.ok) return data ?? {};
  const detail = data?.detail || data?.title || response.statusText;
  throw new ApiError(response.status, t("error.http", { status: response.status, detail }), data);
}
