// Before the call: which script, who the caller is, which ears, which line.

import { fill, h } from "./dom.js";
import { own, t } from "./texts.js";

export class Setup {
  /** `offered`: the answer of GET /talk/scripts. */
  constructor(form, offered) {
    this.form = form;
    this.offered = offered;
    this.kept = new URLSearchParams(location.search); // ?script=… chooses one
    form.addEventListener("change", ({ target }) => {
      this.kept.set(target.name, target.value);
      if (target.name === "script") this.draw();
    });
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  /** Whether there is anything to call. */
  get possible() {
    return this.offered.scripts.length > 0;
  }

  draw() {
    if (!this.possible) return void fill(this.form, h("p", { class: "wide" }, t("setup.none")));
    const { scripts, ears, webrtc } = this.offered;
    const named = scripts.find((script) => script.name === this.kept.get("script")) ?? scripts[0];
    const rows = [this.#choice("script", t("setup.script"), scripts.map((one) => [one.name, own(one)]), named.name)];
    if (ears !== "text") {
      const heard = [["sound", t("setup.ears_sound")], ["text", t("setup.ears_text")]];
      rows.push(this.#choice("ears", t("setup.ears"), heard, "sound"));
    }
    if (webrtc) rows.push(this.#choice("via", t("setup.via"), [["socket", "WebSocket"], ["webrtc", "WebRTC"]], "socket"));
    if (named.fields.length > 0) rows.push([h("h2", { class: "wide" }, t("setup.contact"))]);
    for (const field of named.fields) {
      const name = `contact.${field.key}`;
      if (field.choices.length > 0) rows.push(this.#choice(name, own(field), field.choices.map((one) => [one.value, own(one)]), field.value));
      else rows.push(this.#text(name, own(field), field.value));
    }
    fill(this.form, ...rows.flat());
  }

  /** What was chosen: {script, ears, via, contact}. */
  chosen() {
    const data = new FormData(this.form);
    const contact = {};
    for (const [name, value] of data) {
      if (name.startsWith("contact.") && value.trim() !== "") contact[name.slice(8)] = value.trim();
    }
    const ears = this.offered.ears === "text" ? "text" : data.get("ears");
    return { script: data.get("script"), ears, via: data.get("via") ?? "socket", contact };
  }

  #choice(name, label, choices, value) {
    const chosen = choices.some(([one]) => one === this.kept.get(name)) ? this.kept.get(name) : value;
    const options = choices.map(([one, text]) => h("option", { value: one, selected: one === chosen }, text));
    return [h("label", { for: name }, label), h("select", { id: name, name }, ...options)];
  }

  #text(name, label, value) {
    const input = h("input", { id: name, name, maxlength: 60, value: this.kept.get(name) ?? value });
    return [h("label", { for: name }, label), input];
  }
}
