// The page for talking to the bot: states loading, idle, calling, up, ended.

import { showBudget } from "./budget.js";
import { Captions } from "./captions.js";
import { byId, clock, fill, fillKeypad, showSide } from "./dom.js";
import { Setup } from "./setup.js";
import { SocketLine } from "./socket-line.js";
import { microphone } from "./sound.js";
import { either, inBothLanguages, t } from "./texts.js";
import { WebRtcLine } from "./webrtc-line.js";

const SPEAKS = 0.35; // of the meter: some -39 dBFS
const captions = new Captions(byId("captions"));
let setup = null;
let line = null;
let fault = null; // makes the words, so that they follow the language
let ears = null; // likewise
let begun = 0;
let took = 0;
let playing = false;
let customerSpeaks = null; // what the detector says, null where it says nothing
const NO_BUDGET = { ms: {}, title: "budget.opening" };
let budget = NO_BUDGET;
let stream = null;
let calls = 0;

function state(name) {
  document.body.dataset.state = name;
  show();
}

function show() {
  const name = document.body.dataset.state;
  const busy = name === "calling" || name === "up";
  document.title = `${t("app.name")} · ${t("talk.title")}`;
  fill(byId("state"), t(`state.${name}`));
  fill(byId("call-label"), t(busy ? "call.end" : "call.begin"));
  byId("call").disabled = name === "loading" || !setup?.possible;
  byId("line").disabled = byId("send").disabled = name !== "up";
  byId("line").placeholder = t(ears?.only ? "typing.placeholder_only" : "typing.placeholder");
  fill(byId("fault"), fault === null ? "" : fault());
  fill(byId("ears"), ears === null ? "" : ears.words());
  showBudget(byId("budget"), budget.ms, budget.title);
  setup?.draw();
}

function tellEars(words, key) {
  ears = { only: words, words: () => t(key ?? (words ? "ears.text" : "ears.sound"), { name: setup.offered.ears }) };
}

async function begin() {
  const chosen = setup.chosen();
  fault = null;
  budget = NO_BUDGET;
  customerSpeaks = null;
  playing = false;
  captions.clear();
  state("calling");
  try {
    if (chosen.ears === "sound") {
      stream = await microphone();
      if (stream === null) {
        chosen.ears = "text";
        fault = () => t("fault.microphone");
        tellEars(true, "ears.denied");
      }
    }
    const answer = await fetch("/talk/tickets", { method: "POST" });
    const { ticket, detail } = await answer.json();
    if (!answer.ok) return fail(() => t("fault.refused", { detail }));
    const parameters = { script: chosen.script, contact: JSON.stringify(chosen.contact) };
    line = new (chosen.via === "webrtc" ? WebRtcLine : SocketLine)(listener((calls += 1)));
    await line.open({ kind: "talk", ticket, ears: chosen.ears, parameters }, stream);
    await line.startCapture(stream);
  } catch (error) {
    fail(() => (error instanceof TypeError ? t("fault.server") : t("fault.sound", { detail: error.message })));
  }
}

/** What a line tells; the last words of the call before this one are too late. */
function listener(call) {
  const still = (take) => (said) => call === calls && take(said);
  return { ready: still(ready), event: still(event), end: still(end), playing: still((now) => (playing = now)) };
}

function fail(words) {
  fault = words;
  line?.close();
  line = null;
  release();
  state("idle");
}

function release() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
}

function ready({ words }) {
  begun = took = performance.now();
  if (!(words && ears?.only)) tellEars(words);
  state("up");
  if (words) byId("line").focus();
  requestAnimationFrame(tick);
}

function event(event) {
  captions.take(event);
  if (event.kind === "reply" && event.text) {
    budget = { ms: event.ms, title: captions.utterances.size > 0 ? "budget.title" : "budget.opening" };
    showBudget(byId("budget"), budget.ms, budget.title);
  }
  if (event.party === "customer" && event.kind === "speech.started") customerSpeaks = true;
  if (event.party === "customer" && event.kind === "speech.ended") customerSpeaks = false;
}

function end({ cause, detail = t("ended.no_detail") }) {
  release();
  if (document.body.dataset.state !== "up") return fail(() => either(`ended.${cause}`, "ended.other", { detail }));
  captions.note(either(`ended.${cause}`, "ended.other", { detail }));
  showSide(byId("mine"), 0, false, "");
  showSide(byId("theirs"), 0, false, "");
  line = null;
  state("ended");
}

function tick(now) {
  if (line === null || document.body.dataset.state !== "up") return;
  const { mine, theirs } = line.levels();
  const speaks = customerSpeaks ?? mine > SPEAKS;
  showSide(byId("mine"), mine, speaks, speaks ? t("side.speaks") : "");
  showSide(byId("theirs"), theirs, playing, playing ? t("side.speaks") : "");
  captions.advance(playing, Math.max(0, now - took));
  took = now;
  fill(byId("clock"), clock(now - begun));
  requestAnimationFrame(tick);
}

function typed(submitted) {
  submitted.preventDefault();
  const text = byId("line").value.trim();
  if (text === "" || line === null) return;
  line.say(text);
  byId("line").value = "";
}

async function load() {
  try {
    const answer = await fetch("/talk/scripts");
    setup = new Setup(byId("setup"), await answer.json());
    tellEars(setup.offered.ears === "text");
    state("idle");
  } catch {
    fault = () => t("fault.server");
    show();
  }
}

byId("call").addEventListener("click", () => {
  if (line === null) begin();
  else line.hangUp();
});
byId("typing").addEventListener("submit", typed);
fillKeypad(byId("keys").querySelector(".keypad"), (key) => line?.digit(key));
inBothLanguages(byId("language"), show);
await load();
