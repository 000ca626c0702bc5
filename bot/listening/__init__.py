"""Listening to two people talk: each side recognised by itself, for the assisted calls.

ports        what comes in (a frame of one side) and what comes out (words of one side)
side         where one side's utterances begin and end: pure
two_ears     voice detection and a recogniser for each side
handed_over  a bot call's log → what the person who takes the call over starts with: pure
"""
