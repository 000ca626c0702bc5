"""Twilio Media Streams and its clones (Telnyx, Plivo): the media socket, REST, callbacks."""
