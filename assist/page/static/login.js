// The login page: name and password, faults in words, then the page of one's role.

import { post } from "./api.js";
import { byId } from "./dom.js";
import { fillTexts, onLanguage, switchLanguage, t } from "./i18n.js";

const PAGES = { agent: "/agent", supervisor: "/supervisor" };
const form = byId("login");
const fault = byId("fault");
const submit = byId("submit");
let words = null;

function show() {
  fillTexts(document);
  document.title = `${t("app.name")} · ${t("login.title")}`;
  fault.textContent = words === null ? "" : words();
}

async function logIn(event) {
  event.preventDefault();
  const name = byId("name").value.trim();
  const password = byId("password").value;
  if (name === "" || password === "") {
    words = () => t("login.missing");
    show();
    byId(name === "" ? "name" : "password").focus();
    return;
  }
  words = null;
  show();
  submit.disabled = true;
  submit.textContent = t("login.busy");
  try {
    const me = await post("/api/login", { name, password });
    const page = PAGES[me.role];
    if (page !== undefined) return location.assign(page);
    words = () => t("login.no_page");
  } catch (error) {
    const known = { 401: "login.wrong", 429: "login.too_many", 0: "error.network" }[error.status];
    words = () => (known === undefined ? error.message : t(known));
    byId("password").select();
  }
  submit.disabled = false;
  show();
}

form.addEventListener("submit", logIn);
byId("language").addEventListener("click", switchLanguage);
onLanguage(show);
show();
byId("name").focus();
