"""Advice for the agent, decided purely: the picture of a call in, ranked cards with reasons out."""
