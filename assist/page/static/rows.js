// The rows of the supervisor's list: their order, and in words what is wrong. Pure.

import { named, own, t } from "./i18n.js";

/** Most trouble first; of equal trouble more alarms first, then the longer call. Never by last words. */
export function byTrouble(rows) {
  const level = (row) => row.trouble_level ?? 0;
  const alarms = (row) => row.alarms?.length ?? 0;
  return [...rows].sort(
    (one, other) =>
      level(other) - level(one) ||
      alarms(other) - alarms(one) ||
      Date.parse(one.started) - Date.parse(other.started) ||
      one.call_id.localeCompare(other.call_id),
  );
}

/** What is wrong in one row, the worst first; a quiet word where nothing is. */
export function troubleWords(row) {
  const parts = (row.alarms ?? []).map((alarm) => `${own(alarm.title)} ${t("sup.alarm", { words: own(alarm.words) })}`);
  if (row.sentiment === "negative") parts.push(t("sup.negative"));
  if (row.objection) parts.push(t("sup.objection", { act: named("act", row.objection) }));
  if (parts.length === 0 && row.trouble) parts.push(own(row.trouble));
  return parts.length > 0 ? parts.join(t("list.semicolon")) : t("sup.fine");
}

/** Who the customer is, as far as a supervisor's list shows it (masked). */
export function customerWords(row) {
  const customer = row.customer ?? {};
  const parts = [
    customer.value_tier && named("tier", customer.value_tier),
    customer.city,
    customer.age && t("who.age", { value: customer.age }),
  ];
  return parts.filter(Boolean).join(" · ") || t("side.customer");
}

/** How many rows want a look. */
export function troubled(rows) {
  return rows.filter((row) => (row.trouble_level ?? 0) >= 2).length;
}
