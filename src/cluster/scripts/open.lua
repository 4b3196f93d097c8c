-- Begins every script on a stream of updates: what Redis holds of it.
-- KEYS: state, history, channel. ARGV: 1 an epoch nobody has used, 2 length of the history, 3 time to live in ms, 4 the
-- server's run id ('' where the connection may be to another server than before), 5 the process.
local state, history, channel = KEYS[1], KEYS[2], KEYS[3]
-- Where the server has started again, or another has taken over, updates may be lost that clients have seen: their
-- numbers must not come again in the same epoch.
local run = ARGV[4]
if run == '' then
  run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end
local by = 'by:' .. ARGV[5]
local held = redis.call('HMGET', state, 'run', 'epoch', 'seq', 'at', 'current', 'max', 'held', by)
local epoch, seq, at, current, max = held[2], tonumber(held[3]), tonumber(held[4]) or 0, held[5], held[6]
local kept, last = tonumber(held[7]) or 0, tonumber(held[8])
local begins = held[1] ~= run
if begins then
  epoch, seq, kept = ARGV[1], 0, 0
  redis.call('DEL', history)
end

local function whole(number)
  return string.format('%.0f', number)
end

-- Lets go of the oldest batches, each as a whole.
local function trim(size)
  while kept > size do
    local oldest = tonumber(string.match(redis.call('LINDEX', history, 0) or '', '^%d+ %S+ (%d+)'))
    if not oldest or kept - oldest < size then
      return
    end
    redis.call('LPOP', history)
    kept = kept - oldest
  end
end

-- Tells a batch of records, of which `count` are updates and get the next numbers. The newest counts among them were
-- said at `said`; '-' stands for none. More than one record is kept as one piece, so what is done here takes as long for
-- many as for one. `id` is the number of the last among those of the process.
local function add(body, count, said, now, most, id)
  local batch = whole(seq + 1) .. ' ' .. body
  local size = tonumber(ARGV[2])
  seq = seq + count
  if count > 0 and size > 0 then
    kept = kept + count
    redis.call('RPUSH', history, batch)
    trim(size)
    redis.call('PEXPIRE', history, ARGV[3])
  end
  if now == '-' then
    redis.call('HSET', state, 'run', run, 'epoch', epoch, 'seq', whole(seq), 'held', kept, by, id)
  else
    -- A clock that is behind sets no time back.
    at, current, max = math.max(at, said), now, most
    redis.call('HSET', state, 'run', run, 'epoch', epoch, 'seq', whole(seq), 'held', kept, by, id,
      'at', whole(at), 'current', now, 'max', most)
  end
  redis.call('PEXPIRE', state, ARGV[3])
  redis.call('SPUBLISH', channel, epoch .. ' ' .. batch)
  begins = false
end

-- Keeps that all begins anew, where nothing was added that did.
local function settle()
  if begins then
    redis.call('HSET', state, 'run', run, 'epoch', epoch, 'seq', '0', 'held', '0')
    redis.call('PEXPIRE', state, ARGV[3])
  end
end

