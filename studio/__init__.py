"""Tools for script designers.  Nothing is here yet; the bot never imports it."""
