// The microphone as blocks of 20 ms, signed 16 bit; silence where there is none: a line always has sound.

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Int16Array(sampleRate / 50);
    this.filled = 0;
  }

  process([[sound]], [[out]]) {
    for (let i = 0; i < out.length; i += 1) {
      const sample = sound === undefined ? 0 : Math.max(-1, Math.min(1, sound[i]));
      this.block[this.filled] = sample < 0 ? sample * 32768 : sample * 32767;
      this.filled += 1;
      if (this.filled === this.block.length) {
        this.port.postMessage(this.block.buffer, [this.block.buffer]);
        this.block = new Int16Array(sampleRate / 50);
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("capture", Capture);
