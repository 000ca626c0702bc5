// A line over one WebSocket: frames both ways, JSON between (docs/phones/browser.md).

import { loudness, microphoneNode } from "./sound.js";

const RATES_HZ = [8000, 16000, 24000, 44100, 48000];
const LINE_HZ = 8000;

/** `on`: {ready({words}), event(event), end({cause, detail, ticket}), playing(boolean), ring(ring | null)}. */
export class SocketLine {
  constructor(on) {
    this.on = on;
    this.over = false;
  }

  /** Connects with a Hello (kind, ticket, ears, parameters). Rejects where no sound can be played. */
  async open(hello) {
    this.out = new AudioContext({ sampleRate: LINE_HZ, latencyHint: "interactive" });
    this.in = new AudioContext();
    if (!RATES_HZ.includes(this.in.sampleRate)) {
      await this.in.close();
      this.in = new AudioContext({ sampleRate: 48000 });
    }
    await Promise.all([
      this.out.audioWorklet.addModule("/talk/static/player-worklet.js"),
      this.in.audioWorklet.addModule("/talk/static/capture-worklet.js"),
    ]);
    this.player = new AudioWorkletNode(this.out, "player", { numberOfInputs: 0, outputChannelCount: [1] });
    this.theirs = this.out.createAnalyser();
    this.player.connect(this.theirs).connect(this.out.destination);
    this.player.port.onmessage = ({ data }) => {
      if ("played" in data) this.#tell({ played: data.played });
      else this.on.playing(data.playing);
    };
    this.socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/talk/socket`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.#tell({ ...hello, sample_rate: this.in.sampleRate });
    this.socket.onmessage = ({ data }) => this.#take(data);
    this.socket.onclose = () => this.#end({ cause: "line_lost" });
  }

  /** From now on the microphone is heard; null for none: silence is sent. */
  async startCapture(microphone) {
    if (this.over) return;
    this.mine = this.in.createAnalyser();
    const capture = new AudioWorkletNode(this.in, "capture", { outputChannelCount: [1] });
    capture.port.onmessage = ({ data }) => {
      if (this.socket.readyState === WebSocket.OPEN && this.socket.bufferedAmount < 65536) this.socket.send(data);
    };
    microphoneNode(this.in, microphone).connect(this.mine).connect(capture).connect(this.in.destination);
    await Promise.all([this.in.resume(), this.out.resume()]);
  }

  say(text) {
    this.#tell({ say: text });
  }

  digit(key) {
    this.#tell({ digit: key });
  }

  answer() {
    this.#tell({ answer: true });
  }

  hangUp() {
    this.#tell({ hang_up: true });
  }

  /** Lets go of the line at once. */
  close() {
    this.socket?.close();
    this.#end({ cause: "line_lost" });
  }

  /** How loud both sides are now, 0 to 1. */
  levels() {
    return { mine: loudness(this.mine), theirs: loudness(this.theirs) };
  }

  #take(data) {
    if (data instanceof ArrayBuffer) {
      this.player.port.postMessage(data, [data]);
      return;
    }
    const message = JSON.parse(data);
    if ("mark" in message) this.player.port.postMessage(message.mark);
    else if ("flush" in message) this.player.port.postMessage(null);
    else if ("event" in message) this.on.event(message.event);
    else if ("ready" in message) this.on.ready(message.ready);
    else if ("ring" in message) this.on.ring(message.ring);
    else if ("end" in message) this.#end(message.end);
  }

  #end(end) {
    if (this.over) return;
    this.over = true;
    for (const context of [this.in, this.out]) context?.close();
    this.on.end(end);
  }

  #tell(message) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}
