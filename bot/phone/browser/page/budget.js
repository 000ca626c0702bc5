// Where the milliseconds of a turn went: reply.ms as a stacked bar.

import { fill, h } from "./dom.js";
import { t } from "./texts.js";

const PARTS = ["endpoint", "recognise", "understand", "decide", "voice", "network"];

/** All of a turn's milliseconds. */
export function total(ms) {
  return PARTS.reduce((sum, part) => sum + (ms[part] ?? 0), 0);
}

/** The bar. */
export function stack(ms) {
  const bar = h("span", { class: "stack" });
  for (const part of PARTS) {
    if (!(ms[part] > 0)) continue;
    const piece = h("span", { class: `part ${part}` });
    piece.style.flexGrow = ms[part];
    bar.append(piece);
  }
  return bar;
}

/** A turn in full: the answer in the title (of that key), then each part with its figure. */
export function showBudget(section, ms, key) {
  const spent = Math.round(total(ms));
  section.hidden = spent <= 0;
  if (spent <= 0) return;
  const title = t(key, { ms: spent });
  fill(section.querySelector("h2"), title);
  const bar = section.querySelector(".stack");
  bar.replaceChildren(...stack(ms).childNodes);
  bar.setAttribute("aria-label", title);
  const rows = PARTS.filter((part) => ms[part] !== undefined).map((part) =>
    [h("dt", {}, h("span", { class: `swatch ${part}` }), t(`budget.${part}`)), h("dd", {}, Math.round(ms[part]))]
  );
  fill(section.querySelector("dl"), ...rows.flat());
}
