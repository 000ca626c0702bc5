"""Lines from web pages: anyone's microphone, and an agent's softphone."""
