-- A sign of life; returns who else has given one. KEYS: processes. ARGV: process, time in ms after which it is dead.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- First: a Redis that is full refuses this, and nothing that only takes away.
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local reply = redis.call('ZRANGE', KEYS[1], 0, -1)
table.insert(reply, 1, KEYS[1])
return reply
