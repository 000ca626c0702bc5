"""Rasa custom actions, and the pure decisions they stand on.

`state.py` derives the slots that steer a call, `offers.py` its sums, `evidence.py` what an effect
must prove; `ports.py` is what effects need from the world.  Actions run in the brain's process.
"""
