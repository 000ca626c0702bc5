"""Asterisk: media by AudioSocket and by WebSocket, calls by ARI.

Media, what other modules use (each leg is a `bot.call.ports.PhoneLeg`):
  audiosocket.AudioSocketServer(arrived, refuse, settings); await start() -> port; stop()
      an Arrival of provider "audiosocket", line_id the UUID, as soon as Asterisk has said it
  media_endpoint.MediaEndpoint(arrived, refuse, settings, authorization=None)
      for MediaServer({"/asterisk/media": endpoint}); an Arrival of provider "ari" at MEDIA_START
  media_leg.connect_media(url, settings, tls=None) -> MediaLeg
      to ws://HOST:8088/media/<MEDIA_WEBSOCKET_CONNECTION_ID>; raises MediaFailed; leg.start tells the
      channel's id and format
"""
