// The form after a call, filled in from what happened; the agent corrects and saves it.

import { post } from "./api.js";
import { fill, h } from "./dom.js";
import { listOf } from "./format.js";
import { named, own, t } from "./i18n.js";

export const DISPOSITIONS = [
  "accepted", "declined", "callback", "do_not_call", "transferred", "wrong_person", "busy",
  "no_answer", "voicemail", "unreachable", "hung_up", "completed", "not_understood", "failed",
]; // prettier-ignore
export const GRADES = ["A", "B", "C", "D", "E"];

/** The form of one call. `notice(text)` says what became of it to whoever looks. */
export class AfterCall {
  constructor(form, notice) {
    this.form = form;
    this.notice = notice;
    this.callId = null;
    this.values = null;
    this.state = "open";
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
  }

  /** Shows the form of a call that has ended; what the agent has changed already stays. */
  show(callId, filled) {
    if (this.callId === callId && (this.values !== null || filled === null)) return;
    this.callId = callId;
    this.values = filled === null ? null : valuesOf(filled);
    this.state = "open";
    this.form.hidden = false;
    this.draw();
    this.form.querySelector("textarea")?.focus({ preventScroll: true });
  }

  /** Another call begins: what stands in an unsaved form is saved as it is. */
  async leave() {
    if (this.form.hidden) return;
    const [callId, unsaved] = [this.callId, this.values !== null && this.state !== "saved"];
    const body = unsaved ? this.body() : null;
    this.form.hidden = true;
    this.form.replaceChildren();
    this.callId = null;
    this.values = null;
    if (!unsaved) return;
    try {
      await post(`/api/calls/${encodeURIComponent(callId)}/after-call`, body);
      this.notice(t("after.auto_saved"));
    } catch (error) {
      this.notice(t("after.failed", { why: error.message }));
    }
  }

  async save() {
    if (this.values === null || this.state === "saving") return;
    const callId = this.callId;
    this.values = this.read();
    this.state = "saving";
    this.tell("after.saving");
    try {
      await post(`/api/calls/${encodeURIComponent(callId)}/after-call`, this.body());
      if (this.callId !== callId) return;
      this.state = "saved";
      this.tell("after.saved");
    } catch (error) {
      if (this.callId !== callId) return;
      this.state = "failed";
      this.tell("after.failed", error.message);
    }
  }

  /** Draws the form anew, in the language of now. */
  draw() {
    if (this.form.hidden) return;
    if (this.values === null) {
      fill(this.form, h("h2", { id: "after-title" }, t("after.title")), h("p", {}, t("call.loading")));
      return;
    }
    if (this.form.elements.namedItem("summary") !== null) this.values = this.read();
    const { summary, disposition, grade, reasons, missing, at, about } = this.values;
    const option = (group, chosen) => (name) =>
      h("option", { value: name, selected: name === chosen }, named(group, name));
    fill(
      this.form,
      h("h2", { id: "after-title" }, t("after.title"), h("small", {}, t("after.filled"))),
      field("after.summary", "summary", h("textarea", { rows: "5", maxlength: "2000" }), summary),
      h("div", { class: "pair" }, [
        field("after.disposition", "disposition", h("select", {}, DISPOSITIONS.map(option("disposition", disposition)))),
        field("after.grade", "grade", h("select", {}, GRADES.map(option("grade", grade)))),
      ]),
      h("div", { class: "reasons" }, h("b", {}, t("after.reasons")), reasons.length > 0
        ? h("ul", {}, reasons.map((reason) => h("li", {}, own(reason))))
        : h("p", {}, t("after.reasons_none"))),
      missing.length > 0 ? h("p", { class: "missing" }, `! ${t("after.missing")}`, ` ${missing.map(own).join(t("list.comma"))}`) : null,
      h("div", { class: "pair" }, [
        field("after.follow_up", "at", h("input", { type: "datetime-local" }), at),
        field("after.follow_up_about", "about", h("input", { maxlength: "200" }), about),
      ]),
      h("p", { class: "end" }, h("button", { type: "submit", class: "primary" }, ""), h("output", {})),
    );
    this.tell({ saved: "after.saved", failed: "after.failed" }[this.state] ?? null, "");
  }

  tell(text, why = "") {
    this.form.dataset.state = this.state;
    const button = this.form.querySelector("button[type=submit]");
    button.textContent = t(this.state === "failed" ? "after.retry" : "after.save");
    button.disabled = this.state === "saving";
    this.form.querySelector("output").textContent = text === null ? t("after.keys") : t(text, { why });
  }

  read() {
    const get = (name) => this.form.elements.namedItem(name).value;
    return {
      ...this.values,
      summary: get("summary"),
      disposition: get("disposition"),
      grade: get("grade"),
      at: get("at"),
      about: get("about"),
    };
  }

  body() {
    const { summary, disposition, grade, reasons, at, about } = this.read();
    const lines = summary.split("\n").map((line) => line.trim()).filter(Boolean);
    const followUp = at || about ? { at: at ? withOffset(at) : null, about } : null;
    return { summary: lines, disposition, grade, reasons: reasons.map(own), follow_up: followUp };
  }
}

function valuesOf(filled) {
  return {
    summary: listOf(filled.summary).map(own).join("\n"),
    disposition: filled.disposition ?? "completed",
    grade: filled.grade ?? "E",
    reasons: listOf(filled.reasons),
    missing: listOf(filled.missing),
    at: localTime(filled.follow_up?.at),
    about: own(filled.follow_up?.about),
  };
}

// ISO with offset ↔ what a datetime-local field holds.
function localTime(iso) {
  const moment = new Date(iso ?? "");
  if (!iso || Number.isNaN(moment.getTime())) return "";
  return new Date(moment.getTime() - moment.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

function withOffset(local) {
  const minutes = -new Date(local).getTimezoneOffset();
  const two = (value) => String(Math.floor(Math.abs(value))).padStart(2, "0");
  return `${local}:00${minutes < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
}

function field(text, name, control, value) {
  control.id = `after-${name}`;
  control.name = name;
  if (value !== undefined) control.value = value;
  return h("div", { class: "field" }, h("label", { for: control.id }, t(text)), control);
}
