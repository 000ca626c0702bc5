"""Live assist: listens to a person's call and advises.  Nothing is here yet; the bot never imports it."""
