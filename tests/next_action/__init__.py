"""Tests of bot.dialogue.next_action."""
