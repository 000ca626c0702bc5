// The knowledge search behind "/": type, choose with the arrows, Enter puts the text on the card.

import { get } from "./api.js";
import { fill, h } from "./dom.js";
import { own, t } from "./i18n.js";

const WAIT_MS = 150;

/** The search over `element`. `callId()`: the call it is for; `keep(card)`: what to do with a find. */
export class Search {
  constructor(element, callId, keep) {
    this.element = element;
    this.callId = callId;
    this.keep = keep;
    this.found = [];
    this.chosen = 0;
    this.asked = 0;
    this.timer = null;
  }

  get open() {
    return !this.element.hidden;
  }

  show() {
    this.found = [];
    this.input = h("input", {
      type: "search",
      placeholder: t("search.placeholder"),
      "aria-label": t("search.title"),
      "aria-controls": "search-found",
      autocomplete: "off",
      maxlength: "100",
      on: { input: () => this.soon(), keydown: (event) => this.key(event) },
    });
    this.list = h("ul", { id: "search-found", role: "listbox" });
    this.words = h("p", { class: "quiet-words", role: "status" }, t("search.start"));
    fill(
      this.element,
      h("h3", { id: "search-title" }, t("search.title"), h("small", {}, t("search.hint"))),
      this.input,
      this.words,
      this.list,
    );
    this.element.hidden = false;
    this.input.focus();
  }

  hide() {
    clearTimeout(this.timer);
    this.asked += 1;
    this.element.hidden = true;
    this.element.replaceChildren();
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(this.input.value.trim()), WAIT_MS);
  }

  async ask(words) {
    this.asked += 1;
    const mine = this.asked;
    if (words === "") return this.draw([], t("search.start"));
    this.words.textContent = t("search.busy");
    try {
      const query = new URLSearchParams({ call: this.callId() ?? "", q: words });
      const answer = await get(`/api/knowledge?${query}`);
      if (mine === this.asked) this.draw(answer.results, answer.results.length > 0 ? "" : t("search.none"));
    } catch (error) {
      if (mine === this.asked) this.draw([], error.message);
    }
  }

  draw(found, words) {
    this.found = found;
    this.chosen = 0;
    this.words.textContent = words;
    fill(
      this.list,
      found.map((item, index) =>
        h(
          "li",
          { role: "option", id: `found-${index}`, "aria-selected": index === 0, on: { click: () => this.take(index) } },
          own(item.title) ? h("b", {}, own(item.title)) : null,
          h("span", { dir: "auto" }, own(item.text)),
        ),
      ),
    );
    this.mark();
  }

  mark() {
    for (const [index, item] of [...this.list.children].entries()) {
      item.setAttribute("aria-selected", String(index === this.chosen));
      if (index === this.chosen) item.scrollIntoView({ block: "nearest" });
    }
    if (this.found.length > 0) this.input.setAttribute("aria-activedescendant", `found-${this.chosen}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && this.found.length > 0) {
      event.preventDefault();
      this.chosen = (this.chosen + step + this.found.length) % this.found.length;
      this.mark();
    } else if (event.key === "Enter" && !event.isComposing && this.found.length > 0) {
      event.preventDefault();
      this.take(this.chosen);
    }
  }

  take(index) {
    const item = this.found[index];
    this.hide();
    this.keep({
      id: `knowledge:${item.node ?? own(item.text)}`,
      kind: "knowledge",
      title: own(item.title),
      text: own(item.text),
      why: own(item.why),
      feedback: [],
      evidence: [],
      received: Date.now(),
    });
  }
}
