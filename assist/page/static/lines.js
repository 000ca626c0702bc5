// The words of a call as a list: who, what, what it meant. Only lines that changed are drawn again.

import { fill, h } from "./dom.js";
import { named, own, t } from "./i18n.js";

const SURE = 0.5;
const drawn = new WeakMap();

/**
 * Draws the lines of a call. Scrolls along with the last line, except where the person has scrolled
 * up to read. `evidence`: ids of the utterances that the card on the screen rests on.
 */
export function drawLines(list, call, evidence = []) {
  const before = drawn.get(list) ?? new Map();
  const after = new Map();
  const following = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  const said = alarmed(call.panel.alarms);
  let place = list.firstElementChild;
  for (const line of call.lines) {
    const words = said.get(line.utterance_id) ?? "";
    const rests = evidence.includes(line.utterance_id);
    let known = before.get(line.utterance_id);
    if (known === undefined || known.line !== line || known.words !== words || known.rests !== rests) {
      const element = drawLine(line, words, rests);
      if (known !== undefined) {
        if (place === known.element) place = element;
        known.element.replaceWith(element);
      }
      known = { line, words, rests, element };
    }
    after.set(line.utterance_id, known);
    if (place === known.element) place = place.nextElementSibling;
    else list.insertBefore(known.element, place);
  }
  while (place !== null) {
    const next = place.nextElementSibling;
    place.remove();
    place = next;
  }
  drawn.set(list, after);
  if (call.lines.length === 0) fill(list, h("li", { class: "nobody" }, t("talk.empty")));
  if (following) list.scrollTop = list.scrollHeight;
}

/** Forgets what was drawn, so that the next time all is drawn in the language of then. */
export function redrawLines(list) {
  drawn.delete(list);
  list.replaceChildren();
}

function alarmed(alarms) {
  return new Map(alarms.map((alarm) => [alarm.utterance_id, own(alarm.words)]));
}

function drawLine(line, words, rests) {
  const classes = ["line", line.party, line.final ? "final" : "partial", rests ? "rests" : ""].join(" ");
  return h(
    "li",
    { class: classes, data: { id: line.utterance_id } },
    h("span", { class: "party", title: t(`side.${line.party}`) }, t(`party.${line.party}`)),
    h("p", { dir: "auto" }, marked(line.text, words), line.final ? null : h("span", { class: "going" }, " …"), tags(line)),
  );
}

// The words that must not be said stand out in the line in which they were said.
function marked(text, words) {
  const at = words === "" ? -1 : text.indexOf(words);
  if (at < 0) return [text];
  return [text.slice(0, at), h("mark", {}, words), text.slice(at + words.length)];
}

function tags(line) {
  const acts = line.acts.filter((act, rank) => rank === 0 || act.confidence >= SURE).slice(0, 2);
  const feeling = line.sentiment === "negative" || line.sentiment === "positive" ? line.sentiment : null;
  return [
    acts.map((act) => {
      const sure = !(act.confidence < SURE);
      return h("span", { class: sure ? "tag" : "tag guess" }, `${named("act", act.name)}${sure ? "" : "?"}`);
    }),
    feeling && h("span", { class: "tag feeling" }, t(`sentiment.${feeling}`)),
  ];
}
