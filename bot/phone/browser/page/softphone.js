// The agent's phone: states offline, waiting, ringing, talking. Each call has a line of its own; the ticket
// for the next comes with the end of the last.

import { byId, clock, fill, fillKeypad, showSide } from "./dom.js";
import { SocketLine } from "./socket-line.js";
import { microphone } from "./sound.js";
import { either, inBothLanguages, t } from "./texts.js";

const SPEAKS = 0.35;
let ticket = new URLSearchParams(location.hash.slice(1)).get("ticket");
let line = null;
let stream = null;
let tone = null;
let fault = ticket === null ? () => t("soft.no_ticket") : null;
let caller = "";
let muted = false;
let begun = 0;
history.replaceState(null, "", location.pathname); // the ticket is nobody else's business

function state(name) {
  document.body.dataset.state = name;
  show();
}

function show() {
  const name = document.body.dataset.state;
  document.title = `${name === "ringing" ? "☎ " : ""}${t("soft.title")} · ${t("app.name")}`;
  fill(byId("state"), t(`soft.${name}`));
  fill(byId("caller"), name === "ringing" || name === "talking" ? caller : "");
  fill(byId("fault"), fault === null ? "" : fault());
  byId("online").disabled = ticket === null;
  byId("mute").setAttribute("aria-pressed", String(muted));
}

async function goOnline() {
  const allowed = await microphone(); // asked for now, used from the answer on
  for (const track of allowed?.getTracks() ?? []) track.stop();
  if (allowed === null) {
    fault = () => t("soft.microphone");
    return show();
  }
  tone = new AudioContext();
  await connect();
}

async function connect() {
  const used = ticket;
  ticket = null; // it works once
  fault = null;
  muted = false;
  line = new SocketLine({ ready: () => state("waiting"), event() {}, end, playing() {}, ring });
  await line.open({ kind: "softphone", ticket: used, ears: "sound", parameters: {} });
}

function ring(ringing) {
  caller = ringing?.caller ?? "";
  state(ringing === null ? "waiting" : "ringing");
  if (ringing !== null) sound();
}

function sound() {
  if (document.body.dataset.state !== "ringing") return;
  const tune = tone.createOscillator();
  const volume = tone.createGain();
  volume.gain.value = 0.08;
  tune.frequency.value = 450; // China's ringing tone: 1 s on, 4 s off
  tune.connect(volume).connect(tone.destination);
  tune.start();
  tune.stop(tone.currentTime + 1);
  tune.onended = () => setTimeout(sound, 4000);
}

async function answer() {
  stream = await microphone();
  if (stream === null) {
    fault = () => t("soft.microphone");
    return show();
  }
  await line.startCapture(stream);
  line.answer();
  begun = performance.now();
  state("talking");
  requestAnimationFrame(tick);
}

async function end({ cause, detail = "", ticket: next = null }) {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = line = null;
  ticket = next;
  if (next !== null) return await connect();
  fault = () => (cause === "line_lost" ? t("soft.again") : either(`ended.${cause}`, "soft.again", { detail }));
  state("offline");
}

function mute() {
  muted = !muted;
  for (const track of stream?.getTracks() ?? []) track.enabled = !muted;
  show();
}

function tick(now) {
  if (line === null || document.body.dataset.state !== "talking") return;
  const { mine, theirs } = line.levels();
  const word = muted ? "side.muted" : mine > SPEAKS ? "side.speaks" : null;
  showSide(byId("mine"), mine, !muted && mine > SPEAKS, word === null ? "" : t(word));
  showSide(byId("theirs"), theirs, theirs > SPEAKS, theirs > SPEAKS ? t("side.speaks") : "");
  fill(byId("clock"), clock(now - begun));
  requestAnimationFrame(tick);
}

byId("online").addEventListener("click", goOnline);
byId("answer").addEventListener("click", answer);
byId("hang-up").addEventListener("click", () => line?.hangUp());
byId("mute").addEventListener("click", mute);
fillKeypad(byId("keys"), (key) => line?.digit(key));
inBothLanguages(byId("language"), show);
