// What the agent did with the cards on the own screen, and which card is shown because of it. Pure.
//
// The server decides which card is primary (`panel.card`). The desk adds: a pinned card stays until
// it is unpinned, "another" brings a folded card up, what is not right goes at once, a card's time
// runs out. A card that the agent is just reading aloud is not taken away by its time.

import { agentSpeaksSince } from "./state.js";

export const MAX_FOLDED = 2;

/** Nothing pinned, nothing chosen. `own`: a card made on this page (knowledge), by id. */
export function newDesk() {
  return { pinned: null, pinnedOver: null, chosen: null, chosenOver: null, used: null, gone: [], own: {} };
}

/** Pins the card on the screen, or unpins what is pinned. */
export function pin(desk, call, shown) {
  if (desk.pinned !== null) return { ...desk, pinned: null, pinnedOver: null };
  if (shown === null) return desk;
  return { ...desk, pinned: shown.id, pinnedOver: Object.keys(call.cards) };
}

/** Brings a card up in place of the one that is shown, until the server advises another. */
export function choose(desk, call, id) {
  return { ...desk, pinned: null, pinnedOver: null, chosen: id, chosenOver: call.panel.card };
}

/** The agent takes the words of a card: it stays to be read until another one is advised. */
export function use(desk, id) {
  return { ...desk, used: id };
}

/** Takes a card off the screen for good. */
export function dismiss(desk, id) {
  const unpinned = desk.pinned === id ? { pinned: null, pinnedOver: null } : {};
  const unchosen = desk.chosen === id ? { chosen: null, chosenOver: null } : {};
  return { ...desk, ...unpinned, ...unchosen, gone: [...desk.gone, id] };
}

/** Puts what was found in the knowledge on the card, pinned: it was asked for. */
export function keep(desk, call, card) {
  const own = { ...desk.own, [card.id]: card };
  return { ...desk, own, pinned: card.id, pinnedOver: Object.keys(call.cards) };
}

/**
 * What is to be shown now: {primary, folded, waiting, asked}. `waiting`: another card came while one
 * is pinned; `asked`: an answer lies ready behind key 3 (density "expert").
 */
export function onScreen(call, desk, density, now) {
  if (call.phase !== "live") return { primary: null, folded: [], waiting: false, asked: false };
  const since = agentSpeaksSince(call, now);
  const find = (id) => (id === null ? undefined : (call.cards[id] ?? desk.own[id]));
  const alive = (id) => {
    const card = find(id);
    if (card === undefined || desk.gone.includes(id)) return false;
    if (card.feedback.includes("dismissed") || card.feedback.includes("spoken")) return false;
    const end = card.received + (card.ttl_ms ?? 20000);
    return card.pinned || now < end || (since !== null && end > since);
  };
  const advised = call.panel.card;
  let primary = null;
  if (desk.pinned !== null && find(desk.pinned) !== undefined) primary = desk.pinned;
  else if (desk.chosen !== null && desk.chosenOver === advised && alive(desk.chosen)) primary = desk.chosen;
  else if (alive(advised)) primary = advised;
  else if (desk.used !== null && alive(desk.used)) primary = desk.used;
  const asked = density === "expert" && primary === advised && find(primary)?.kind === "answer" && desk.pinned === null;
  if (asked && desk.chosen !== advised) primary = null;
  const others = [advised, ...call.panel.folded].filter((id) => id !== primary && alive(id));
  const folded = [...new Set(others)].slice(0, MAX_FOLDED).map(find);
  const waiting = desk.pinned !== null && !desk.pinnedOver.includes(advised) && alive(advised);
  const card = find(primary) ?? null;
  return { primary: card, folded, waiting, asked: asked && card === null };
}
