// A line over WebRTC: the browser's own codecs and clock, the JSON of the socket line on a data channel.

import { loudness, microphoneNode } from "./sound.js";

const GATHER_MS = 2000;
const AUDIBLE = 0.15;

/** The same as a SocketLine; `on` is the same too. */
export class WebRtcLine {
  constructor(on) {
    this.on = on;
    this.over = false;
    this.playing = false;
  }

  /** Connects with a Hello and the microphone (null for none). */
  async open(hello, microphone) {
    this.context = new AudioContext();
    this.mine = this.context.createAnalyser();
    const sent = this.context.createMediaStreamDestination();
    microphoneNode(this.context, microphone).connect(this.mine).connect(sent);
    await this.context.resume();
    this.peer = new RTCPeerConnection();
    this.peer.addTrack(sent.stream.getAudioTracks()[0], sent.stream);
    this.peer.ontrack = ({ track }) => this.#play(new MediaStream([track]));
    this.peer.onconnectionstatechange = () => {
      if (this.peer.connectionState === "failed") this.close();
    };
    this.channel = this.peer.createDataChannel("control");
    this.channel.onmessage = ({ data }) => this.#take(JSON.parse(data));
    this.channel.onclose = () => this.close(); // the server's last word is said
    await this.peer.setLocalDescription();
    await this.#gathered();
    const answer = await fetch("/talk/offer", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...hello, sdp: this.peer.localDescription.sdp }),
    });
    const body = await answer.json();
    if (!answer.ok) {
      this.peer.close();
      return this.#end({ cause: "refused", detail: body.detail });
    }
    await this.peer.setRemoteDescription({ type: "answer", sdp: body.sdp });
    this.channel.readyState === "open" ? this.on.ready(body) : (this.channel.onopen = () => this.on.ready(body));
  }

  async startCapture() {
    // the sound flows from the beginning
  }

  say(text) {
    this.#tell({ say: text });
  }

  digit(key) {
    this.#tell({ digit: key });
  }

  hangUp() {
    this.#tell({ hang_up: true });
  }

  close() {
    this.peer?.close();
    this.#end({ cause: "line_lost" });
  }

  levels() {
    const theirs = loudness(this.theirs);
    if (theirs > AUDIBLE !== this.playing) {
      this.playing = theirs > AUDIBLE;
      this.on.playing(this.playing);
    }
    return { mine: loudness(this.mine), theirs };
  }

  #play(stream) {
    this.audio = new Audio();
    this.audio.srcObject = stream; // Chromium decodes a remote stream only while an element plays it
    this.audio.play();
    this.theirs = this.context.createAnalyser();
    this.context.createMediaStreamSource(stream).connect(this.theirs);
  }

  #gathered() {
    return new Promise((resolve) => {
      const done = () => this.peer.iceGatheringState === "complete" && resolve();
      this.peer.onicegatheringstatechange = done;
      setTimeout(resolve, GATHER_MS);
      done();
    });
  }

  #take(message) {
    if ("event" in message) this.on.event(message.event);
    else if ("end" in message) this.#end(message.end);
  }

  #end(end) {
    if (this.over) return;
    this.over = true;
    this.context?.close();
    this.on.end(end);
  }

  #tell(message) {
    if (this.channel?.readyState === "open") this.channel.send(JSON.stringify(message));
  }
}
