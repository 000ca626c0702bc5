"""Understanding that needs no model: acts, text, numbers, values, masking.  Pure, no I/O.

Import the module you need (`bot.understanding.acts` …); this package imports none of them, so
that a process which only normalises text does not pay for spaCy.
"""
