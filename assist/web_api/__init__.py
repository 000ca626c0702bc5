"""The web API of live assist: one capability a file; `routes` lists them all.

parts       what the handlers share, by key
problems    errors as RFC 9457 problem+json
guard       who asks, and whether they may
limits      PURE: how often somebody may ask
bodies      requests and answers as JSON
headers     security headers of every answer
"""
