"""Phone legs: one adapter a file."""
