// Listening in on one call: its words as they come, what is on the agent's screen, and a whispered card.

import { feedTicket, get, post } from "./api.js";
import { fill, h } from "./dom.js";
import { Feed } from "./feed.js";
import { duration } from "./format.js";
import { named, own, t } from "./i18n.js";
import { drawLines, redrawLines } from "./lines.js";
import { elapsed, fold, noCall } from "./state.js";

const CARD_CHARACTERS = 40;

/** The pane that listens. `onClose()` when the person goes back to the list. */
export class Ear {
  constructor(element, onClose) {
    this.element = element;
    this.onClose = onClose;
    this.call = noCall();
    this.callId = null;
    this.agentId = null;
    this.name = null;
    this.feed = null;
    this.draw();
  }

  /** Listens to another call. */
  open(row) {
    if (this.callId === row.call_id) return;
    this.feed?.stop();
    this.call = noCall();
    this.callId = row.call_id;
    this.agentId = row.agent_id;
    this.name = null;
    this.draw();
    const path = `/api/calls/${encodeURIComponent(row.call_id)}/feed`;
    this.feed = new Feed({
      path: () => path,
      after: () => (this.call.callId === null ? null : String(this.call.seq)),
      ticket: () => feedTicket(`call:${row.call_id}`),
      onMessage: (message) => this.take(message),
      onState: (state) => this.connected(state),
    });
    this.feed.start();
    this.fetchName(row.call_id);
  }

  close() {
    this.feed?.stop();
    this.feed = null;
    this.callId = null;
    this.call = noCall();
    this.draw();
    this.onClose();
  }

  /** Puts the cursor where a card is written. */
  write() {
    this.element.querySelector("input")?.focus();
  }

  async fetchName(callId) {
    try {
      const { contact } = await get(`/api/calls/${encodeURIComponent(callId)}/customer`);
      if (this.callId !== callId) return;
      this.name = contact.name ?? null;
      this.paint();
    } catch {
      this.name = null; // the list's words for the customer do
    }
  }

  take(message) {
    this.call = fold(this.call, message, Date.now());
    this.paint();
  }

  connected({ state, code }) {
    this.element.dataset.connection = state;
    if (state !== "refused") return;
    this.say(t("sup.whisper_failed", { why: t(code === 4403 ? "error.forbidden" : "sup.ended") }), "failed");
  }

  /** Draws all anew, in the language of now. */
  draw() {
    this.element.classList.toggle("open", this.callId !== null);
    if (this.callId === null) {
      fill(this.element, h("h2", { id: "ear-title", class: "quiet-words" }, t("sup.pick")));
      return;
    }
    const written = this.element.querySelector("input")?.value ?? "";
    this.title = h("h2", { id: "ear-title" });
    this.about = h("p", { class: "about" });
    this.list = h("ol", { class: "lines", tabindex: "0", "aria-labelledby": "ear-title" });
    this.card = h("p", { class: "on-screen" });
    this.left = h("span", { class: "left" });
    this.result = h("output", { class: "result" });
    const input = h("input", {
      id: "whisper",
      maxlength: String(CARD_CHARACTERS),
      placeholder: t("sup.whisper_placeholder"),
      autocomplete: "off",
      on: { input: () => this.count(input) },
    });
    input.value = written;
    fill(
      this.element,
      h("header", {}, this.title, h("button", { type: "button", class: "close", on: { click: () => this.close() } }, `← ${t("sup.close")}`)),
      this.about,
      this.list,
      this.card,
      h(
        "form",
        { class: "whisper", on: { submit: (event) => this.whisper(event, input) } },
        h("label", { for: "whisper" }, t("sup.whisper")),
        h("div", {}, input, h("button", { type: "submit", class: "primary" }, t("sup.whisper_send"))),
        h("p", {}, this.result, this.left),
      ),
    );
    this.count(input);
    this.paint();
  }

  paint() {
    if (this.callId === null) return;
    const { panel, cards, phase } = this.call;
    fill(this.title, t("sup.listening", { customer: this.name ?? t("side.customer") }));
    const parts = [
      `${t("sup.agent")} ${this.agentId}`,
      duration(elapsed(this.call, Date.now())),
      panel.stage && named("stage", panel.stage),
      panel.objection && t("sup.objection", { act: named("act", panel.objection) }),
      phase === "ended" && t("sup.ended"),
    ];
    fill(this.about, parts.filter(Boolean).join(" · "));
    if (phase === "loading") fill(this.list, h("li", { class: "nobody" }, t("call.loading")));
    else {
      this.list.querySelector(".nobody")?.remove();
      drawLines(this.list, this.call, cards[panel.card]?.evidence ?? []);
    }
    const shown = phase === "live" ? cards[panel.card] : undefined;
    fill(this.card, h("b", {}, t("sup.on_screen")), ` ${shown === undefined ? "–" : own(shown.text)}`);
  }

  /** The words in another language. */
  retell() {
    if (this.list) redrawLines(this.list);
    this.draw();
  }

  count(input) {
    this.left.textContent = t("sup.left", { count: CARD_CHARACTERS - input.value.length });
  }

  say(words, state) {
    this.result.textContent = words;
    this.result.dataset.state = state;
  }

  async whisper(event, input) {
    event.preventDefault();
    const text = input.value.trim();
    if (text === "") return;
    try {
      await post(`/api/calls/${encodeURIComponent(this.callId)}/whisper`, { text });
      if (input.value.trim() === text) input.value = "";
      this.count(input);
      this.say(t("sup.whisper_sent"), "sent");
    } catch (error) {
      this.say(t("sup.whisper_failed", { why: error.status === 409 ? t("sup.ended") : error.message }), "failed");
    }
  }
}
