// The agent's page: joins the feed, the state of the call, the desk and the views; keyboard first.

import { feedTicket, get, toLogin, whoAmI } from "./api.js";
import { AfterCall } from "./after.js";
import { drawBrief, drawWho } from "./brief.js";
import { drawCard, drawFolded } from "./card.js";
import { drawAlarms, drawMustSay } from "./checks.js";
import { choose, dismiss, keep, newDesk, onScreen, pin, use } from "./desk.js";
import { byId, fill, h, isTyping } from "./dom.js";
import { Feed } from "./feed.js";
import { FeedbackOut } from "./feedback.js";
import { drawFile, drawOffers } from "./file.js";
import { duration } from "./format.js";
import { fillTexts, named, onLanguage, t } from "./i18n.js";
import { drawLines, redrawLines } from "./lines.js";
import { Search } from "./search.js";
import { DENSITIES, density, setDensity } from "./settings.js";
import { elapsed, fold, noCall, withFeedback } from "./state.js";
import { drawStrip } from "./strip.js";

const TICK_MS = 500;
const FORM_PATIENCE_MS = 5000;

let me = null;
let call = noCall();
let desk = newDesk();
let shown = { primary: null, folded: [], waiting: false, asked: false };
let drawn = null;
let customer = {};
let connection = { state: "connecting", attempt: 0 };
let endedAt = null;
let noticeTimer = null;
const seen = new Set();
const unseen = new Set();

const feedback = new FeedbackOut((waiting) => notice(waiting > 0 ? t("error.not_sent") : ""));
const after = new AfterCall(byId("after"), notice);
const search = new Search(byId("search"), () => call.callId, (card) => {
  desk = keep(desk, call, card);
  paint();
});

// ---- drawing: the card first, then only what changed

function paint() {
  const now = Date.now();
  shown = onScreen(call, desk, density(), now);
  if (call.phase === "live") {
    const fresh = drawCard(byId("card-place"), shown, desk, density(), act);
    if (fresh !== null && call.cards[fresh] !== undefined) tellShown(fresh);
    drawFolded(byId("folded"), density() === "novice" ? shown : { folded: [] }, bringUp);
  }
  paintRest(now);
}

function paintRest(now) {
  const old = drawn;
  const changed = (part) => old === null || part(old) !== part(call);
  const evidence = shown.primary?.evidence ?? [];
  document.documentElement.dataset.call = call.callId ?? "";
  document.documentElement.dataset.seq = String(call.seq);
  document.body.dataset.phase = call.phase;
  document.body.dataset.density = density();
  paintEmpty();
  if (call.phase === "live" || call.phase === "ended") {
    if (changed((c) => c.panel) || changed((c) => c.phase)) drawWho(byId("who"), call, customer, now);
    drawLines(byId("lines"), call, evidence);
    const brief = byId("brief");
    brief.hidden = call.lines.length > 0 || call.phase === "ended" || search.open;
    byId("lines").hidden = !brief.hidden || search.open;
    byId("talk-title").textContent = t(brief.hidden ? "talk.title" : "brief.title");
    if (!brief.hidden && (changed((c) => c.panel) || changed((c) => c.lines))) drawBrief(brief, call, customer);
    if (changed((c) => c.panel.checklist)) drawMustSay(byId("must-say"), call.panel.checklist);
    if (changed((c) => c.panel.alarms)) drawAlarms(byId("alarms"), call.panel.alarms);
    if (changed((c) => c.panel.facts)) drawFile(byId("file"), call);
    if (changed((c) => c.panel.offers) || changed((c) => c.panel.facts)) drawOffers(byId("offers"), call.panel);
  }
  if (call.phase === "ended") showForm(now);
  if (changed((c) => c.ms)) paintStrip();
  drawn = call;
}

function paintAll() {
  fillTexts(document);
  document.title = `${t("app.name")} · ${t("strip.agent")}`;
  drawn = null;
  redrawLines(byId("lines"));
  byId("card-place").replaceChildren();
  if (search.open) search.show();
  after.draw();
  paintStrip();
  paint();
}

function paintEmpty() {
  const words = { loading: ["call.loading", ""], idle: ["call.none", "call.none_hint"] }[call.phase];
  if (words === undefined) return byId("empty").replaceChildren();
  fill(byId("empty"), h("h1", {}, t(words[0])), words[1] ? h("p", {}, t(words[1])) : null);
}

function paintStrip() {
  const parts = Object.entries(call.ms).map(([part, ms]) => `${named("ms", part)} ${Math.round(ms)}`);
  const total = Math.round(Object.values(call.ms).reduce((sum, ms) => sum + ms, 0));
  const words = t("ms.title", { total, parts: parts.join(" · ") });
  const latency = h("span", { class: "ms", title: words }, words);
  const presets = DENSITIES.map((name) =>
    h("button", { type: "button", data: { density: name }, "aria-pressed": String(density() === name), on: { click: () => preset(name) } }, t(`density.${name}`)),
  );
  drawStrip(byId("strip"), "strip.agent", me, connection, [
    parts.length > 0 ? latency : null,
    h("span", { class: "presets", role: "group", "aria-label": t("strip.density") }, presets),
  ]);
}

function preset(name) {
  setDensity(name);
  paintStrip();
  paint();
}

function showForm(now) {
  endedAt ??= now;
  const late = now - endedAt > FORM_PATIENCE_MS;
  after.show(call.callId, call.panel.after_call ?? (late ? {} : null));
}

function notice(words) {
  byId("notice").textContent = words;
  clearTimeout(noticeTimer);
  if (words !== "") noticeTimer = setTimeout(() => notice(""), 6000);
}

// ---- what comes from the server

function take(message) {
  const before = call;
  call = fold(call, message, Date.now());
  if (call === before) return;
  if (call.callId !== before.callId) begin();
  paint();
}

function begin() {
  desk = newDesk();
  customer = call.about.customer ?? {};
  endedAt = null;
  drawn = null;
  redrawLines(byId("lines"));
  byId("card-place").replaceChildren();
  if (search.open) search.hide();
  after.leave();
  if (call.callId !== null) fetchCustomer(call.callId);
}

async function fetchCustomer(callId) {
  try {
    const known = await get(`/api/calls/${encodeURIComponent(callId)}/customer`);
    if (call.callId !== callId) return;
    customer = known.contact;
    drawn = null;
    paint();
  } catch (error) {
    notice(t("error.load", { why: error.message }));
  }
}

function connected(state) {
  const lost = connection.state === "lost";
  connection = state;
  if (state.state === "refused" && state.code === 4401) return toLogin();
  paintStrip();
  if (state.state === "open" && lost) feedback.flush();
}

// ---- what the agent does

function tellShown(id) {
  if (seen.has(id)) return;
  if (document.visibilityState !== "visible") {
    unseen.add(id);
    return;
  }
  seen.add(id);
  report(id, "shown");
}

function report(id, action) {
  call = withFeedback(call, id, action);
  feedback.send(id, action, elapsed(call, Date.now()));
}

function act(name) {
  const card = shown.primary;
  const ours = card !== null && call.cards[card.id] !== undefined;
  if (name === "used" && ours && !card.feedback.includes("used")) {
    desk = use(desk, card.id);
    report(card.id, "used");
  } else if (name === "used" && card !== null && !ours) desk = dismiss(desk, card.id);
  else if (name === "dismiss" && card !== null) {
    desk = dismiss(desk, card.id);
    if (ours) report(card.id, "dismissed");
  } else if (name === "next" && shown.asked) desk = choose(desk, call, call.panel.card);
  else if (name === "next" && shown.folded.length > 0) desk = choose(desk, call, shown.folded[0].id);
  else if (name === "pin") desk = pin(desk, call, card);
  paint();
}

function bringUp(id) {
  desk = choose(desk, call, id);
  paint();
}

const SHORTCUTS = { 1: "used", 2: "dismiss", 3: "next", " ": "pin" };

function pressed(event) {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    if (search.open) search.hide();
    else if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    return paint();
  }
  if (isTyping(event.target) || call.phase !== "live") return;
  if (event.key === " " && event.target.closest?.("button, a")) return;
  if (event.key === "/") {
    event.preventDefault();
    search.show();
    return paint();
  }
  const name = SHORTCUTS[event.key];
  if (name === undefined || event.repeat) return;
  event.preventDefault();
  act(name);
}

document.addEventListener("keydown", pressed);
// A button that was clicked does not keep the space bar for itself.
document.addEventListener("click", (event) => event.detail > 0 && event.target.closest?.("button")?.blur());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  for (const id of unseen) if (shown.primary?.id === id) tellShown(id);
  unseen.clear();
});
setInterval(() => {
  if (call.phase !== "live" && call.phase !== "ended") return;
  const timer = document.getElementById("timer");
  if (timer !== null) timer.textContent = duration(elapsed(call, Date.now()));
  const next = onScreen(call, desk, density(), Date.now());
  if (next.primary !== shown.primary || next.folded.length !== shown.folded.length) paint();
  if (call.phase === "ended") showForm(Date.now());
}, TICK_MS);
onLanguage(paintAll);

async function start() {
  paintAll();
  try {
    me = await whoAmI();
  } catch (error) {
    if (error.status === 401) return toLogin();
    const words = error.status === 403 ? t("error.forbidden") : t("error.load", { why: error.message });
    return fill(byId("empty"), h("h1", {}, words), h("button", { type: "button", class: "primary", on: { click: start } }, t("error.retry")));
  }
  paintStrip();
  new Feed({
    path: () => `/api/agents/${encodeURIComponent(me.name)}/feed`,
    after: () => (call.callId === null ? null : `${call.callId}:${call.seq}`),
    ticket: () => feedTicket(`agent:${me.name}`),
    onMessage: take,
    onState: connected,
  }).start();
}

start();
