"""The ranker that learns: a contextual bandit over the cards of live assist.  Pure: no clock, no I/O."""
