// Who is on the line: the header, and before anybody has spoken the brief (who, situation, way in, offer).

import { fill, h } from "./dom.js";
import { duration, listOf, number } from "./format.js";
import { named, own, t } from "./i18n.js";
import { elapsed } from "./state.js";

/** Draws the header: customer, time, stage, open objection. `customer`: the customer's file. */
export function drawWho(element, call, customer, now) {
  const { panel } = call;
  const parts = [
    customer.name,
    customer.age && t("who.age", { value: customer.age }),
    customer.city,
    customer.value_tier && named("tier", customer.value_tier),
    customer.tenure_months && t("who.tenure", { value: customer.tenure_months }),
  ];
  fill(
    element,
    h("h1", {}, parts.filter(Boolean).join(" · ") || t("side.customer")),
    panel.customer_type ? h("span", { class: "type" }, named("type", panel.customer_type)) : null,
    h("span", { class: "timer", id: "timer", "aria-label": t("call.timer") }, duration(elapsed(call, now))),
    h("span", { class: "stage" }, h("em", {}, t("call.stage")), panel.stage ? ` ${named("stage", panel.stage)}` : " –"),
    panel.objection
      ? h("span", { class: "objection" }, h("em", {}, t("call.objection")), ` ${named("act", panel.objection)}`)
      : null,
    panel.signals.length > 0
      ? h("span", { class: "signals" }, h("em", {}, t("call.signals")), ` ${signalWords(panel.signals)}`)
      : null,
    panel.talk ? h("span", { class: "share" }, t("call.share", { percent: percentOf(panel.talk) })) : null,
    call.phase === "ended" ? h("b", { class: "over" }, t("call.ended")) : null,
  );
}

function signalWords(signals) {
  const last = signals.at(-1);
  return named("act", typeof last === "object" ? own(last.title ?? last.words ?? last) : last);
}

// The customer's share of what was said.
function percentOf(talk) {
  const all = (talk.customer_ms ?? 0) + (talk.agent_ms ?? 0);
  return all === 0 ? 0 : Math.round((100 * (talk.customer_ms ?? 0)) / all);
}

/** Draws the brief; it stands where the words of the call will be. */
export function drawBrief(element, call, customer) {
  const offer = [...call.panel.offers].sort((one, other) => (one.rank ?? 0) - (other.rank ?? 0))[0];
  const situation = history(customer);
  const wayIn = listOf(call.panel.way_in).map(own);
  fill(
    element,
    h("dl", {}, [
      row("brief.history", [situation.length > 0 ? situation.join(" · ") : t("brief.nothing")]),
      wayIn.length > 0 ? row("brief.way_in", wayIn) : null,
      offer && !offer.guard ? row("brief.offer", [[own(offer.name), ...listOf(offer.why).map(own)].join(" · ")]) : null,
    ]),
  );
}

function row(title, lines) {
  return [h("dt", {}, t(title)), h("dd", {}, lines.map((line) => h("p", {}, line)))];
}

function history(customer) {
  const has = (key) => customer[key] !== null && customer[key] !== undefined && customer[key] !== "";
  const line = (text, key) => (has(key) ? t(text, { value: number(own(customer[key])) }) : null);
  const data = has("data_used_gb")
    ? has("plan_data_gb")
      ? t("brief.data", { used: number(customer.data_used_gb), plan: number(customer.plan_data_gb) })
      : t("brief.data_used", { used: number(customer.data_used_gb) })
    : null;
  return [
    customer.occupation && own(customer.occupation),
    line("brief.plan", "plan"),
    line("brief.bill", "monthly_bill"),
    data,
    line("brief.broadband", "broadband"),
    line("brief.tenure", "tenure_months"),
    line("brief.contract_end", "contract_end"),
    line("brief.contacts", "contacts_30d"),
    line("brief.complaints", "complaints"),
  ].filter(Boolean);
}
