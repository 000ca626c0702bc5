// What must be said (amber when due, green when done) and what should not have been said (red).

import { fill, h } from "./dom.js";
import { own, t } from "./i18n.js";

/** Draws the checklist. The line that says an item stands in its title. */
export function drawMustSay(element, checklist) {
  const items = checklist.map((item) => {
    const state = item.at_ms !== null && item.at_ms !== undefined ? "done" : item.due ? "due" : "later";
    const sign = { done: "✓", due: "!", later: "□" }[state];
    return h(
      "li",
      { class: state, title: `${t(`must_say.${state}`)} ${own(item.text)}`, data: { key: item.key } },
      h("span", { "aria-hidden": "true" }, sign),
      ` ${own(item.title)}`,
      h("span", { class: "unseen" }, ` ${t(`must_say.${state}`)}`),
    );
  });
  fill(
    element,
    h("h3", {}, t("must_say.title")),
    items.length > 0 ? h("ul", {}, items) : h("p", { class: "quiet-words" }, t("must_say.none")),
  );
}

/** Draws the newest alarm with its remedy, and how many more there are. */
export function drawAlarms(element, alarms) {
  const last = alarms.at(-1);
  if (last === undefined) {
    fill(element, h("h3", {}, t("alarms.title")), h("p", { class: "quiet-words" }, t("alarms.none")));
    element.classList.remove("on");
    return;
  }
  element.classList.add("on");
  fill(
    element,
    h("h3", {}, `● ${t("alarms.title")}`),
    h(
      "p",
      {},
      h("b", {}, t("alarms.said", { words: own(last.words) })),
      ` ${own(last.title)}`,
      alarms.length > 1 ? h("span", { class: "more" }, ` (${t("alarms.more", { count: alarms.length - 1 })})`) : null,
      own(last.remedy) ? h("span", { class: "remedy" }, t("alarms.remedy", { remedy: own(last.remedy) })) : null,
    ),
  );
}
