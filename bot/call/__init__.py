"""One call: whose turn it is, what is played and heard, what goes to the log."""
