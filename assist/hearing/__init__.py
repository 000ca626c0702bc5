"""What was just said, understood purely: customer lines and agent lines into facts, acts and alarms."""
