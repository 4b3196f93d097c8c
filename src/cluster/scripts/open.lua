-- Begins every script on a stream of updates: what Redis holds of it.
-- KEYS: state, history, channel. ARGV: 1 an epoch nobody has used, 2 length of the history, 3 time to live in ms.
local state, history, channel = KEYS[1], KEYS[2], KEYS[3]
-- Where the server has started again, or another has taken over, updates may be lost that clients have seen: their
-- numbers must not come again in the same epoch.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local held = redis.call('HMGET', state, 'run', 'epoch', 'seq', 'at', 'current', 'max', 'held')
local epoch, seq, at, current, max = held[2], tonumber(held[3]), tonumber(held[4]) or 0, held[5], held[6]
local kept = tonumber(held[7]) or 0
local begins = held[1] ~= run
if begins then
  epoch, seq, kept = ARGV[1], 0, 0
  redis.call('DEL', history)
end

local function whole(number)
  return string.format('%.0f', number)
end

-- Tells a batch of records, of which `count` are updates and get the next numbers. The newest counts among them were
-- said at `said`; '-' stands for none. More than one record is kept as one piece, so what is done here takes as long for
-- many as for one.
local function add(body, count, said, now, most)
  local batch = whole(seq + 1) .. ' ' .. body
  local fields = {}
  if count > 0 then
    seq = seq + count
    if now ~= '-' then
      -- A clock that is behind sets no time back.
      at, current, max = math.max(at, said), now, most
      fields = { 'at', whole(at), 'current', now, 'max', most }
    end
    local size = tonumber(ARGV[2])
    if size > 0 then
      kept = kept + count
      redis.call('RPUSH', history, batch)
      while kept > size do
        -- What can be let go is the oldest batch as a whole.
        local oldest = tonumber(string.match(redis.call('LINDEX', history, 0) or '', '^%d+ %S+ (%d+)'))
        if not oldest or kept - oldest < size then
          break
        end
        redis.call('LPOP', history)
        kept = kept - oldest
      end
      redis.call('PEXPIRE', history, ARGV[3])
    end
  end
  redis.call('HSET', state, 'run', run, 'epoch', epoch, 'seq', whole(seq), 'held', kept, unpack(fields))
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

