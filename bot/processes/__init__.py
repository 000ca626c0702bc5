"""The processes of an installation and how they find each other.

supervisor    starts the processes of one machine, watches them, stops them
brain         script versions in Rasa: answers turns
voice         phone lines and turn-taking; holds no Rasa
remote_brain  the voice's side of asking a brain
registry      who is there: heartbeats in Redis
actors        one call after the other: serial for each call, many calls at once
archiver      a call's log to SQL at its end, and calls of processes that died
child         what each child process does alike: arguments, signals, the parent's death
"""
