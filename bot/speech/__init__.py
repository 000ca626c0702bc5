"""Ears and voices: one provider a file (asr_*, tts_*, vad_*), models, and the remote recogniser."""
