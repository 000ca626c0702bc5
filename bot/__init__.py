"""The bot: one engine that speaks, listens and understands on telephone lines."""
