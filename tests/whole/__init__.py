"""Live assist as it runs in service: processes, Redis, SQLite, browsers; nothing is replaced."""
