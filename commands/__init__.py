"""The `huashu` command: one file a subcommand; this package alone chooses adapters."""
