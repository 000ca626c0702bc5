"""Who may come in, and who may do what.

roles      PURE: what each role may do, with whose calls
passwords  hashes of passwords
sessions   PURE: cookies of browsers, their CSRF tokens
tokens     PURE: signed bearer tokens of machines
tickets    one-time tickets for WebSocket handshakes
directory  everybody and every session, in memory, a second or two old at most
"""
