-- Forgets a room, and leaves that it was: the counts that a process still has of before are not taken for newer.
-- ARGV: 6 when it was forgotten, in µs.
redis.call('DEL', history)
redis.call('HDEL', state, 'current', 'max')
redis.call('HSET', state, 'run', run, 'epoch', ARGV[1], 'seq', '0', 'held', '0', 'at', ARGV[6])
redis.call('PEXPIRE', state, ARGV[3])
return { state, ARGV[1] }
