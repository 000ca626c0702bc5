"""FreeSWITCH: media by mod_audio_stream or mod_audio_fork, control by the event socket."""
