// The card: one sentence to say, why, and the keys. Its place never moves; the old card fades above it.

import { fill, h } from "./dom.js";
import { currentLanguage, named, own, t } from "./i18n.js";

const FADE_MS = 150;
const LONG_TEXT = 46;

window.__cards = {};

/** Keys of the card, as told to screen readers and shown on the buttons. */
const KEYS = [
  ["used", "1", "card.used"],
  ["dismiss", "2", "card.dismiss"],
  ["next", "3", "card.next"],
];

/**
 * Draws what is to be shown (see desk.onScreen) at once, in the task in which it is called.
 * `act(name)` is called for a click on a key. Gives the id of a card that was not there before.
 */
export function drawCard(place, view, desk, density, act) {
  const id = view.primary?.id ?? null;
  const old = place.querySelector(".card:not(.leaving)");
  const before = old?.dataset.id ?? null;
  const state = stateOf(view, desk, density);
  if (place.dataset.state === state && place.childElementCount > 0) return null;
  place.dataset.state = state;
  const card = view.primary === null ? drawNone(view) : draw(view, desk, density, act);
  const focused = old?.contains(document.activeElement) ? document.activeElement.dataset.act : undefined;
  if (before !== null && before !== id) fade(old);
  else old?.remove();
  place.querySelector(".card-none")?.remove();
  place.prepend(card);
  if (focused !== undefined) card.querySelector(`[data-act="${focused}"]`)?.focus({ preventScroll: true });
  if (id === null || id === before) return null;
  tell(id);
  return id;
}

/** Draws the folded cards, each one line that key 3 or a click brings up. */
export function drawFolded(element, view, choose) {
  const state = [...view.folded.map((card) => card.id), currentLanguage()].join("|");
  if (element.dataset.state === state) return;
  element.dataset.state = state;
  fill(
    element,
    view.folded.map((card) =>
      h(
        "button",
        { type: "button", class: "fold", title: card.text, on: { click: () => choose(card.id) } },
        h("b", {}, `▸ ${heading(card)}`),
        h("span", { dir: "auto" }, card.text),
      ),
    ),
  );
}

// All that a card's looks depend on: where it is the same, the card stays the same element.
function stateOf({ primary, waiting, asked }, desk, density) {
  const used = primary?.feedback.includes("used");
  return [primary?.id, used, desk.pinned === primary?.id, waiting, asked, density, currentLanguage()].join("|");
}

function draw(view, desk, density, act) {
  const card = view.primary;
  const pinned = desk.pinned === card.id;
  const used = card.feedback.includes("used");
  const full = density === "novice";
  return h(
    "article",
    { class: ["card", card.kind, used ? "used" : "", pinned ? "pinned" : ""].join(" "), data: { id: card.id } },
    h(
      "p",
      { class: "heading" },
      h("b", {}, heading(card)),
      full && card.technique ? h("span", { class: "technique" }, `${t("card.technique")} ${named("technique", card.technique)}`) : null,
      used ? h("span", { class: "done" }, t("card.done")) : null,
      pinned ? h("span", { class: "pin" }, `⚲ ${t("card.pinned")}`) : null,
      view.waiting ? h("span", { class: "waiting" }, t("card.waiting", { count: 1 })) : null,
    ),
    h("p", { class: card.text.length > LONG_TEXT ? "say long" : "say", dir: "auto" }, phrases(card.text)),
    h("p", { class: "why" }, full && own(card.why) ? t("card.why", { why: own(card.why) }) : ""),
    h(
      "div",
      { class: "keys" },
      KEYS.map(([name, key, text]) => keyButton(name, key, t(text), act)),
      keyButton("pin", t("card.space"), t(pinned ? "card.unpin" : "card.pin"), act),
    ),
  );
}

// A line breaks between phrases, not inside one: it is read aloud at a glance.
function phrases(text) {
  return text.split(/(?<=[,;:!?、。\uff0c\uff1b\uff1a\uff01\uff1f])(?!\d)/).map((phrase) => [phrase, document.createElement("wbr")]);
}

function drawNone(view) {
  return h("p", { class: "card-none" }, t(view.asked ? "card.asked" : "card.none"));
}

function keyButton(name, key, text, act) {
  const shortcut = name === "pin" ? "Space" : key;
  const attributes = { type: "button", class: "key", data: { act: name }, "aria-keyshortcuts": shortcut };
  return h("button", { ...attributes, on: { click: () => act(name) } }, h("kbd", {}, key), ` ${text}`);
}

function heading(card) {
  const kind = named("kind", card.kind);
  const title = own(card.title);
  return title && title !== kind ? `${kind} · ${title}` : kind;
}

function fade(old) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
    old.remove();
    return;
  }
  old.classList.add("leaving");
  old.inert = true;
  setTimeout(() => old.remove(), FADE_MS);
}

// So that a measurement can read when a card was in the page.
function tell(id) {
  const at = performance.timeOrigin + performance.now();
  window.__cards[id] = at;
  performance.mark(`card:${id}`);
  window.dispatchEvent(new CustomEvent("huashu:card", { detail: { id, t: at } }));
}
