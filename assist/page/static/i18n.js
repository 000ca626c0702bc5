// The one place where a page's language is chosen and its words are found.

import { zh } from "./texts.zh.js";
import { en } from "./texts.en.js";

/** @typedef {import("./texts.zh.js").TextKey} TextKey */

const TEXTS = { zh, en };
const STORED = "huashu.language";
const listeners = new Set();
let language = start();

function start() {
  const stored = localStorage.getItem(STORED);
  if (stored === "zh" || stored === "en") return stored;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

/** The language now: "zh" or "en". */
export function currentLanguage() {
  return language;
}

/** Switches to the other language and tells whoever renders. */
export function switchLanguage() {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem(STORED, language);
  for (const listener of listeners) listener(language);
}

/** Calls back after each switch. */
export function onLanguage(listener) {
  listeners.add(listener);
}

/**
 * The text of a key with its {values} filled in. An unknown key is a fault of ours: it throws.
 * @param {TextKey} key
 * @param {Record<string, string | number>} values
 */
export function t(key, values = {}) {
  const text = TEXTS[language][key];
  if (text === undefined) throw new Error(`no text for '${key}' in ${language}`);
  return text.replace(/\{(\w+)\}/g, (mark, name) => (name in values ? String(values[name]) : mark));
}

/** The text of a name that comes from a script (an act, a stage…); the name itself where we have none. */
export function named(group, name) {
  const text = TEXTS[language][`${group}.${name}`];
  return text === undefined ? String(name) : text;
}

/** A script's own text: plain, or given in both languages. */
export function own(text) {
  if (text === null || text === undefined) return "";
  if (typeof text === "object") return text[language] || text.zh || text.en || "";
  return String(text);
}

/** Fills every element that names its text: data-text, data-placeholder, data-label. */
export function fillTexts(root) {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = t(element.dataset.text);
  for (const element of root.querySelectorAll("[data-placeholder]")) {
    element.setAttribute("placeholder", t(element.dataset.placeholder));
  }
  for (const element of root.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", t(element.dataset.label));
  }
}
