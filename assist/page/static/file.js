// The customer file: every fact with where it came from; and the products with the arithmetic.

import { fill, h } from "./dom.js";
import { duration, factValue, listOf, number } from "./format.js";
import { own, t } from "./i18n.js";
import { lineOf } from "./state.js";

/** Draws the facts in their fixed order; hovering or focusing one shows its evidence below. */
export function drawFile(element, call) {
  // What is to be asked, then what is known, then the rest; each in the script's order.
  const place = (fact) => (fact.next ? 0 : stateOf(fact) === "unknown" ? 2 : 1);
  const facts = [...call.panel.facts].sort((one, other) => place(one) - place(other));
  const next = facts.find((fact) => fact.next);
  const below = h("p", { class: "evidence", id: "evidence" }, t("file.legend"));
  const show = (fact) => () => fill(below, evidence(fact, call));
  const hide = () => fill(below, t("file.legend"));
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.fact : null;
  const scrolled = element.querySelector("ul")?.scrollTop ?? 0;
  fill(
    element,
    h(
      "h2",
      { id: "file-title" },
      t("file.title"),
      next ? h("span", { class: "next" }, `▶ ${t("file.next", { fact: own(next.title) })}`) : null,
    ),
    facts.length === 0
      ? h("p", { class: "quiet-words" }, t("file.none"))
      : h(
          "ul",
          {},
          facts.map((fact) =>
            h(
              "li",
              {
                class: ["fact", stateOf(fact), fact.next ? "next" : "", contradicts(fact) ? "contradicted" : ""].join(" "),
                tabindex: "0",
                "aria-describedby": "evidence",
                data: { fact: fact.name },
                on: { mouseenter: show(fact), focus: show(fact), mouseleave: hide, blur: hide },
              },
              h("span", { class: "name" }, `${fact.next ? "▶ " : ""}${own(fact.title)}`),
              h(
                "span",
                { class: "value" },
                contradicts(fact) ? h("s", {}, factValue(fact.was, fact.kind, fact.unit)) : null,
                ` ${factValue(fact.value, fact.kind, fact.unit)}${markOf(fact)}`,
              ),
            ),
          ),
        ),
    below,
  );
  const list = element.querySelector("ul");
  if (list !== null) list.scrollTop = scrolled;
  if (focused) element.querySelector(`[data-fact="${CSS.escape(focused)}"]`)?.focus();
}

function contradicts(fact) {
  return fact.was !== null && fact.was !== undefined && fact.was !== fact.value;
}

function stateOf(fact) {
  if (fact.value === null || fact.value === undefined) return "unknown";
  return fact.guessed ? "guessed" : "known";
}

function markOf(fact) {
  const state = stateOf(fact);
  if (state === "unknown") return "";
  if (state === "guessed") return " ≈";
  return fact.source === "speech" ? " ✓" : " ▪";
}

// Where a fact came from, in words.
function evidence(fact, call) {
  const parts = [`${own(fact.title)}:`];
  if (stateOf(fact) === "unknown") {
    parts.push(t("file.unknown_hint"));
  } else if (fact.source === "speech") {
    const line = lineOf(call, fact.evidence);
    const time = duration(line?.begin_ms ?? fact.at_ms ?? 0);
    parts.push(t("file.from_speech", { time, evidence: line?.text ?? own(fact.evidence) }));
  } else {
    parts.push(t("file.from_file", { evidence: own(fact.evidence) }));
  }
  if (fact.guessed) parts.push(t("file.guessed"));
  if (contradicts(fact)) parts.push(t("file.contradiction", { value: factValue(fact.was, fact.kind, fact.unit) }));
  if (fact.next) parts.push(t("file.next_hint"));
  return parts.join(" ");
}

/** Draws the products: the first with its whole arithmetic, the others one line each. */
export function drawOffers(element, { offers, facts }) {
  const titles = new Map(facts.map((fact) => [fact.name, own(fact.title)]));
  const ranked = [...offers].sort((one, other) => (one.rank ?? 0) - (other.rank ?? 0));
  fill(
    element,
    h("h2", { id: "offers-title" }, t("offers.title")),
    ranked.length === 0 ? h("p", { class: "quiet-words" }, t("offers.none")) : null,
    ranked.slice(0, 1).map((offer) => drawFirst(offer, titles)),
    ranked.slice(1, 4).map(drawOther),
  );
}

function drawFirst(offer, titles) {
  const missing = listOf(offer.missing).map((name) => titles.get(name) ?? name).join(t("list.comma"));
  return h(
    "article",
    { class: "offer first", data: { product: offer.product } },
    h("p", { class: "sum" }, h("b", {}, own(offer.name)), prices(offer), gain(offer), eligible(offer)),
    listOf(offer.sums).length > 0 ? h("p", { class: "sums" }, listOf(offer.sums).map(own).join(t("list.semicolon"))) : null,
    offer.guard ? h("p", { class: "guard" }, `! ${t("offers.guard", { why: own(offer.guard) })}`) : null,
    offer.why ? h("p", {}, h("em", {}, t("offers.why")), ` ${listOf(offer.why).map(own).join(t("list.semicolon"))}`) : null,
    listOf(offer.conditions).length > 0
      ? h("p", {}, h("em", {}, t("offers.conditions")), ` ${listOf(offer.conditions).map(own).join(t("list.semicolon"))}`)
      : null,
    missing ? h("p", { class: "missing" }, t("offers.missing", { facts: missing })) : null,
  );
}

function drawOther(offer) {
  const why = offer.guard ? t("offers.guard", { why: own(offer.guard) }) : listOf(offer.why).map(own).join(t("list.semicolon"));
  return h(
    "p",
    { class: "offer other", data: { product: offer.product }, title: why },
    h("b", {}, own(offer.name)),
    prices(offer),
    gain(offer),
    eligible(offer),
  );
}

function prices(offer) {
  const known = offer.now !== null && offer.now !== undefined;
  const then = offer.then === null || offer.then === undefined ? "?" : number(offer.then);
  return h("span", { class: "prices" }, `${known ? `${number(offer.now)} → ` : ""}${then} ${t("per_month")}`);
}

function gain(offer) {
  if (offer.saving === null || offer.saving === undefined) return null;
  const saving = Number(offer.saving);
  const value = number(String(offer.saving).replace("-", ""));
  if (saving > 0) return h("span", { class: "gain" }, t("offers.saves", { value }));
  return h("span", { class: "cost" }, saving < 0 ? t("offers.more", { value }) : t("offers.same"));
}

function eligible(offer) {
  const state = offer.eligible ?? "unknown";
  const sign = { yes: "✓", no: "✗", unknown: "?" }[state];
  return h("span", { class: `eligible ${state}` }, `${sign} ${t(`offers.eligible.${state}`)}`);
}
