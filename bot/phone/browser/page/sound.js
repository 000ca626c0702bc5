// The microphone, and how loud a sound is.

/** The microphone as people use it on the phone; null where there is none or it is not allowed. */
export async function microphone() {
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 },
    });
  } catch {
    return null; // also where the page is not on a secure origin: mediaDevices is missing there
  }
}

/** A node that gives the microphone's sound, or silence. */
export function microphoneNode(context, stream) {
  if (stream !== null) return context.createMediaStreamSource(stream);
  const silence = context.createConstantSource();
  silence.offset.value = 0;
  silence.start();
  return silence;
}

/** 0 (under -60 dBFS) to 1 (full scale) of what an analyser hears now; 0 without one. */
export function loudness(analyser) {
  if (!analyser) return 0;
  const samples = new Float32Array(analyser.fftSize);
  analyser.getFloatTimeDomainData(samples);
  const rms = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
  return Math.max(0, Math.min(1, 1 + Math.log10(rms + 1e-9) / 3));
}
