// Plays the bot's frames from a queue, in an AudioContext of 8000 Hz; says when a mark is reached and
// when there is sound and when not (a gap under 0.3 s is a late frame).  A flush empties the queue, with
// its marks, at once.

const GAP_SAMPLES = 2400;

class Player extends AudioWorkletProcessor {
  constructor() {
    super();
    this.queue = []; // Int16Array, or the name of a mark
    this.offset = 0;
    this.playing = false;
    this.quiet = GAP_SAMPLES; // samples since the last sound
    this.port.onmessage = ({ data }) => {
      if (data === null) {
        this.queue = [];
        this.offset = 0;
        this.quiet = GAP_SAMPLES;
      } else this.queue.push(typeof data === "string" ? data : new Int16Array(data));
    };
  }

  process(_inputs, [[out]]) {
    let filled = 0;
    while (this.queue.length > 0 && (filled < out.length || typeof this.queue[0] === "string")) {
      const first = this.queue[0];
      if (typeof first === "string") {
        this.port.postMessage({ played: first });
        this.queue.shift();
        continue;
      }
      const count = Math.min(out.length - filled, first.length - this.offset);
      for (let i = 0; i < count; i += 1) out[filled + i] = first[this.offset + i] / 32768;
      filled += count;
      this.offset += count;
      if (this.offset === first.length) {
        this.queue.shift();
        this.offset = 0;
      }
    }
    this.quiet = filled > 0 ? 0 : this.quiet + out.length;
    if (this.quiet < GAP_SAMPLES !== this.playing) {
      this.playing = !this.playing;
      this.port.postMessage({ playing: this.playing });
    }
    return true;
  }
}

registerProcessor("player", Player);
