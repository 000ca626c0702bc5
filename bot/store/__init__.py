"""What must not be lost, in SQL: SQLite by default, PostgreSQL by URL; tenant_id everywhere.

schema       the tables
database     opening, migrating, transactions
keys         the installation's secret key and what is derived from it
vault        raw personal values, encrypted
do_not_call  who must not be called, as keyed hashes
callers      whom we called, by number, sealed
summary      PURE: a call's events → its call, turns and outcome
calls        archiving a call, asking for outcomes
users        people who log in, their sessions
after_call   the forms that agents fill after calls
effects      orders, messages, callbacks, handovers: what actions change in the world
"""
