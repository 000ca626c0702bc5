// What both sides said. The bot's words turn from grey to black as they sound; what an interruption
// kept from being heard is struck.

import { stack, total } from "./budget.js";
import { fill, h } from "./dom.js";
import { either, t } from "./texts.js";

export class Captions {
  constructor(list) {
    this.list = list;
    this.clear();
  }

  clear() {
    this.list.replaceChildren();
    this.utterances = new Map();
    this.spoken = [];
    this.playing = false;
  }

  /** Takes one call event; what is not for the eye is passed over. */
  take(event) {
    if (event.kind === "utterance.partial" || event.kind === "utterance.final") this.#utterance(event);
    else if (event.kind === "reply" && event.text) this.#reply(event);
    else if (event.kind === "playback") this.#playback(event);
    else if (event.kind === "silence") this.note(t("note.silence", { s: Math.round(event.ms / 1000) }));
    else if (event.kind === "dtmf") this.note(t("note.digit"));
    else if (event.kind === "handover") this.note(t("note.handover"));
    else if (event.kind === "call.ended") {
      this.note(either(`outcome.${event.disposition}`, "ended.other") + (event.grade ? ` · ${event.grade}` : ""), "outcome");
    }
  }

  note(text, kind = "") {
    this.#add(h("li", { class: `note ${kind}` }, text));
  }

  /** Tells whether the bot sounds, and that `ms` have gone by. */
  advance(playing, ms) {
    const now = this.spoken.at(-1);
    if (!playing || now === undefined || now.done) return;
    now.played += ms;
    if (now.audio > 0) this.#show(now);
  }

  #utterance({ kind, utterance_id: id, text, party }) {
    if (party === "bot") return;
    let item = this.utterances.get(id);
    if (item === undefined) {
      if (!text) return;
      item = h("li", { class: "said customer" }, h("p", { class: "words" }));
      this.utterances.set(id, item);
      this.#add(item);
    }
    item.classList.toggle("partial", kind === "utterance.partial");
    fill(item.firstChild, text);
    this.#follow();
  }

  #reply({ text, turn, audio_ms: audio, ms }) {
    const words = h("p", { class: "words" });
    const spent = Math.round(total(ms));
    const below = spent > 0 ? h("p", { class: "below" }, stack(ms), t("budget.short", { ms: spent })) : null;
    const item = h("li", { class: "said bot" }, words, below);
    for (const before of this.spoken) before.done = true;
    const line = { item, words, text, turn, audio, heard: "", played: 0, done: false, cut: false };
    this.spoken.push(line);
    this.#add(item);
    this.#show(line);
  }

  #playback({ turn, heard_text: heard, outcome }) {
    const line = this.spoken.findLast((one) => one.turn === turn) ?? this.spoken.at(-1);
    if (line === undefined) return;
    line.heard += heard;
    if (outcome === "interrupted") {
      line.cut = line.done = true;
      line.item.classList.add("cut");
    }
    this.#show(line);
  }

  #show(line) {
    const known = line.text.startsWith(line.heard) ? line.heard.length : 0;
    const guessed = line.audio > 0 ? Math.floor((line.text.length * line.played) / line.audio) : 0;
    const until = line.cut ? known : Math.min(line.text.length, Math.max(known, guessed));
    const heard = line.cut && known === 0 ? line.heard : line.text.slice(0, until);
    const rest = line.text.slice(until);
    fill(line.words, heard, rest ? h("span", { class: "unheard" }, rest) : null);
    if (line.cut && !line.item.querySelector(".stopped")) {
      line.item.append(h("p", { class: "below stopped" }, t("note.interrupted")));
      this.#follow();
    }
  }

  #add(item) {
    this.list.append(item);
    this.#follow();
  }

  #follow() {
    this.list.scrollTop = this.list.scrollHeight;
  }
}
