// The thin strip on top of every page: where one is, the connection in words, settings, the way out.
// When the connection is lost the whole strip turns amber; nothing moves.

import { post, toLogin } from "./api.js";
import { fill, h } from "./dom.js";
import { switchLanguage, t } from "./i18n.js";

const REFUSALS = { 4401: "feed.signed_out", 4403: "feed.reassigned" };

/** What the connection is doing, in words; empty where all is well. */
export function connectionWords({ state, attempt, code }) {
  if (state === "lost") return t("feed.lost", { attempt });
  if (state === "refused") return t("feed.refused", { why: t(REFUSALS[code] ?? "feed.signed_out") });
  return state === "connecting" ? t("feed.connecting") : "";
}

/**
 * Draws the strip. `page`: the text key of the page's name; `me`: who is signed in; `extra`: nodes
 * of the page's own (latency, density) that stand before the language.
 */
export function drawStrip(element, page, me, connection, extra = []) {
  element.dataset.connection = connection.state;
  document.documentElement.dataset.connection = connection.state;
  const words = connectionWords(connection);
  fill(
    element,
    h("strong", {}, t("app.name")),
    h("span", {}, t(page)),
    me === null ? null : h("span", { class: "me" }, me.name),
    h("span", { class: "connection", role: "status" }, words || h("span", { class: "fine" }, `● ${t("feed.open")}`)),
    extra,
    h("button", { type: "button", id: "language", on: { click: switchLanguage } }, t("strip.language")),
    me === null ? null : h("button", { type: "button", id: "logout", on: { click: logOut } }, t("strip.logout")),
  );
}

async function logOut() {
  try {
    await post("/api/logout");
  } finally {
    toLogin();
  }
}
