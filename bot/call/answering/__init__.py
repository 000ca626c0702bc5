"""Who answered: a person, a machine, an announcement or a tone.  It only listens, beside the greeting.

kinds          what a verdict says
parameters     every number, explained
sounds         Chinese text → its sound, so that a recogniser's wrong characters do no harm
cues           the form of a lexicon
lexicon_zh     what machines say in Chinese
lexicon_en     what machines say in English
announcements  words → which machine says so, and how surely
tones          40 ms of sound → one tone, two tones or none
cadence        a row of tones → SIT, busy tone, fax, beep
greeting       length and rhythm of the first speech
verdict        joins all into at most one verdict

Pure: no clock, no input or output; all times are milliseconds on the call's clock.
"""
