// The supervisor's page: all live calls, trouble first; listen in, whisper a card.

import { feedTicket, toLogin, whoAmI } from "./api.js";
import { byId, fill, h, isTyping } from "./dom.js";
import { Ear } from "./ear.js";
import { Feed } from "./feed.js";
import { duration } from "./format.js";
import { fillTexts, named, onLanguage, own, t } from "./i18n.js";
import { byTrouble, customerWords, troubled, troubleWords } from "./rows.js";
import { drawStrip } from "./strip.js";

let me = null;
let rows = null;
let chosen = null;
let connection = { state: "connecting", attempt: 0 };
let refused = null;
const told = new Set();
const drawn = new Map();
const ear = new Ear(byId("ear"), () => {
  document.body.dataset.listening = "";
  paint();
  drawn.get(chosen)?.element.focus();
});

function paint() {
  const sorted = byTrouble(rows ?? []);
  const trouble = troubled(sorted);
  byId("all-title").textContent =
    trouble > 0 ? t("sup.count", { count: sorted.length, trouble }) : t("sup.count_calm", { count: sorted.length });
  document.title = `${trouble > 0 ? `(${trouble}) ` : ""}${t("app.name")} · ${t("strip.supervisor")}`;
  const list = byId("rows");
  if (rows === null || sorted.length === 0) {
    drawn.clear();
    const words = refused ?? (rows === null ? t("call.loading") : t("sup.none"));
    fill(list, h("li", { class: "none" }, h("p", {}, words), rows === null ? null : h("p", {}, t("sup.none_hint"))));
    return;
  }
  list.querySelector(".none")?.remove();
  place(list, sorted);
  announce(sorted);
}

// Rows move, they are not made anew: focus and what is read stay with them.
function place(list, sorted) {
  const focused = document.activeElement?.closest?.("#rows button");
  for (const [index, row] of sorted.entries()) {
    const text = JSON.stringify(row);
    let known = drawn.get(row.call_id);
    if (known === undefined) {
      const element = h("button", { type: "button", on: { click: () => listen(row.call_id) } });
      known = { item: h("li", {}, element), element, text: "" };
      drawn.set(row.call_id, known);
    }
    if (known.text !== text) drawRow(known.element, row);
    known.text = text;
    known.element.setAttribute("aria-current", String(row.call_id === ear.callId));
    if (list.children[index] !== known.item) list.insertBefore(known.item, list.children[index] ?? null);
  }
  const live = new Set(sorted.map((row) => row.call_id));
  for (const [callId, known] of drawn) {
    if (live.has(callId)) continue;
    known.item.remove();
    drawn.delete(callId);
  }
  if (focused?.isConnected) focused.focus({ preventScroll: true });
}

function drawRow(element, row) {
  const level = row.trouble_level ?? 0;
  element.className = `row level-${level}`;
  element.dataset.call = row.call_id;
  const sign = ["", "○", "▲", "●"][level];
  fill(
    element,
    h("span", { class: "what" }, level > 0 ? h("b", {}, `${sign} ${t(`sup.level.${level}`)}`) : null, ` ${troubleWords(row)}`),
    h("span", { class: "time" }, duration(Date.now() - Date.parse(row.started))),
    h("span", { class: "who" }, `${t("sup.agent")} ${row.agent_id} · ${customerWords(row)}`),
    h("span", { class: "stage" }, [own(row.title) || row.script, row.stage && named("stage", row.stage)].filter(Boolean).join(" · ")),
    h("span", { class: "last", dir: "auto" }, row.last ? t("sup.said", { party: t(`party.${row.last.party}`), text: row.last.text }) : ""),
  );
}

// Only an alarm that is new is read out.
function announce(sorted) {
  const fresh = sorted.filter((row) => row.trouble_level === 3 && !told.has(row.call_id));
  for (const row of fresh) told.add(row.call_id);
  for (const row of sorted) if (row.trouble_level !== 3) told.delete(row.call_id);
  if (fresh.length > 0) {
    byId("loud").textContent = fresh.map((row) => `${t("sup.agent")} ${row.agent_id}: ${troubleWords(row)}`).join(" ");
  }
}

function listen(callId) {
  const row = rows.find((one) => one.call_id === callId);
  if (row === undefined) return;
  chosen = callId;
  document.body.dataset.listening = callId;
  ear.open(row);
  paint();
}

function paintStrip() {
  drawStrip(byId("strip"), "strip.supervisor", me, connection, [h("span", { class: "hint" }, t("sup.hint"))]);
}

function paintAll() {
  fillTexts(document);
  for (const known of drawn.values()) known.text = "";
  paintStrip();
  paint();
  ear.retell();
}

function take(message) {
  if (message.kind !== "live") return;
  rows = message.rows;
  paint();
}

function connected(state) {
  connection = state;
  if (state.state === "refused" && state.code === 4401) return toLogin();
  if (state.state === "refused") refused = t("error.forbidden");
  paintStrip();
  paint();
}

function pressed(event) {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    if (isTyping(event.target)) event.target.blur();
    else if (ear.callId !== null) ear.close();
    return;
  }
  if (isTyping(event.target)) return;
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step !== undefined && !event.target.closest?.(".lines")) {
    event.preventDefault();
    const all = [...byId("rows").querySelectorAll("button")];
    const at = all.indexOf(document.activeElement);
    const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1);
    all[next]?.focus();
  } else if (event.key === "w" && ear.callId !== null) {
    event.preventDefault();
    ear.write();
  }
}

document.addEventListener("keydown", pressed);
onLanguage(paintAll);
setInterval(() => {
  for (const row of rows ?? []) {
    const time = drawn.get(row.call_id)?.element.querySelector(".time");
    if (time) time.textContent = duration(Date.now() - Date.parse(row.started));
  }
  ear.paint();
}, 1000);

async function start() {
  paintAll();
  try {
    me = await whoAmI();
  } catch (error) {
    if (error.status === 401) return toLogin();
    refused = error.status === 403 ? t("error.forbidden") : t("error.load", { why: error.message });
    return paint();
  }
  paintStrip();
  new Feed({ path: () => "/api/live", after: () => null, ticket: () => feedTicket("live"), onMessage: take, onState: connected }).start();
}

start();
