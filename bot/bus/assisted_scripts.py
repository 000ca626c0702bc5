"""The Lua of assisted calls: what must happen in Redis in one step, or not at all.

Keys of one call are computed by the caller; all lie in one Redis (no cluster).
"""

from __future__ import annotations

from bot.bus.script import Script

OPEN = Script("""
-- KEYS: log, state, meta, contact, agent's call, live rows, inbox, worker's calls
-- ARGV: call id, meta, sealed contact, event, feed channel, agent channel, worker, kept s, row
if redis.call('HEXISTS', KEYS[2], 'opened') == 1 then return {'repeat', 0} end
redis.call('HSET', KEYS[2], 'opened', 1, 'worker', ARGV[7])
local seq = redis.call('HINCRBY', KEYS[2], 'seq', 1)
redis.call('XADD', KEYS[1], seq .. '-0', 'e', ARGV[4])
redis.call('SET', KEYS[3], ARGV[2], 'EX', ARGV[8])
redis.call('SET', KEYS[4], ARGV[3], 'EX', ARGV[8])
redis.call('SET', KEYS[5], ARGV[1], 'EX', ARGV[8])
redis.call('EXPIRE', KEYS[1], ARGV[8])
redis.call('EXPIRE', KEYS[2], ARGV[8])
redis.call('HSET', KEYS[6], ARGV[1], ARGV[9])
redis.call('SADD', KEYS[8], ARGV[1])
redis.call('XADD', KEYS[7], 'MAXLEN', '~', 20000, '*', 'c', ARGV[1], 'q', seq, 'e', ARGV[4])
redis.call('PUBLISH', ARGV[5], seq .. ' ' .. ARGV[4])
redis.call('PUBLISH', ARGV[6], ARGV[1])
return {'new', seq}
""")

POST = Script("""
-- KEYS: log, state, final utterances, inbox
-- ARGV: call id, utterance id ('' where it is none), final 0 or 1, event, feed channel, kept s,
--       1 where the worker must hear of it
local s = redis.call('HMGET', KEYS[2], 'opened', 'ended', 'closed')
if not s[1] then return {'unknown', 0} end
if s[2] or s[3] then return {'ended', 0} end
if ARGV[2] ~= '' then
  local before = redis.call('HGET', KEYS[3], ARGV[2])
  if before then return {ARGV[3] == '1' and 'repeat' or 'dropped', tonumber(before)} end
end
local seq = redis.call('HINCRBY', KEYS[2], 'seq', 1)
redis.call('XADD', KEYS[1], seq .. '-0', 'e', ARGV[4])
if ARGV[2] ~= '' and ARGV[3] == '1' then
  redis.call('HSET', KEYS[3], ARGV[2], seq)
  redis.call('EXPIRE', KEYS[3], ARGV[6])
end
if ARGV[7] == '1' then
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', 20000, '*', 'c', ARGV[1], 'q', seq, 'e', ARGV[4])
end
redis.call('PUBLISH', ARGV[5], seq .. ' ' .. ARGV[4])
return {'new', seq}
""")

END = Script("""
-- KEYS: state, inbox   ARGV: call id, how it ended
local s = redis.call('HMGET', KEYS[1], 'opened', 'ended', 'closed')
if not s[1] then return {'unknown', 0} end
if s[2] or s[3] then return {'repeat', 0} end
redis.call('HSET', KEYS[1], 'ended', ARGV[2])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 20000, '*', 'c', ARGV[1], 'end', ARGV[2])
return {'new', tonumber(redis.call('HGET', KEYS[1], 'seq'))}
""")

MOVE = Script("""
-- KEYS: state, calls of the old worker, calls of the new, inbox of the new   ARGV: call id, old, new
if redis.call('HGET', KEYS[1], 'worker') ~= ARGV[2] then return redis.call('HGET', KEYS[1], 'worker') end
redis.call('HSET', KEYS[1], 'worker', ARGV[3])
redis.call('SREM', KEYS[2], ARGV[1])
redis.call('SADD', KEYS[3], ARGV[1])
redis.call('XADD', KEYS[4], 'MAXLEN', '~', 20000, '*', 'c', ARGV[1], 'moved', 1)
return ARGV[3]
""")

REASSIGN = Script("""
-- KEYS: meta, agent's call before, agent's call after   ARGV: call id, meta, kept s
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
redis.call('SET', KEYS[3], ARGV[1], 'EX', ARGV[3])
return 1
""")
