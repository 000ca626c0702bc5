// Numbers, money, durations and facts as people read them. Pure.

import { own, t } from "./i18n.js";

/** 221000 → "3:41"; an hour or more as "1:02:03". */
export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value) => String(value).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** "128.00" → "128", "18.40" → "18.4": no zeros that say nothing. */
export function number(value) {
  const text = String(value);
  return /^-?\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, "") : text;
}

/** A fact's value with its unit; "?" where it is unknown. */
export function factValue(value, kind, unit) {
  if (value === null || value === undefined) return t("file.unknown");
  if (typeof value === "boolean") return t(value ? "value.yes" : "value.no");
  const units = { money: t("unit.money"), data: t("unit.data"), months: t("unit.months"), minutes: t("unit.minutes") };
  const shown = units[kind] ?? own(unit);
  return shown && /\d$/.test(number(value)) ? `${number(value)} ${shown}` : number(value);
}

/** A list, whether it came as one or as a single value. */
export function listOf(value) {
  if (value === null || value === undefined || value === "") return [];
  return Array.isArray(value) ? value : [value];
}
