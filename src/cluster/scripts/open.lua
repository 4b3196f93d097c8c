-- Begins every script on a stream of updates: what Redis holds of it.
-- KEYS: state, history, channel. ARGV: 1 an epoch nobody has used, 2 length of the history, 3 time to live in ms.
local state, history, channel = KEYS[1], KEYS[2], KEYS[3]
-- Where the server has started again, or another has taken over, updates may be lost that clients have seen: their
-- numbers must not come again in the same epoch.
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
local held = redis.call('HMGET', state, 'run', 'epoch', 'seq', 'at', 'current', 'max')
local epoch, seq, at, current, max = held[2], tonumber(held[3]), tonumber(held[4]) or 0, held[5], held[6]
local begins = held[1] ~= run
if begins then
  epoch, seq = ARGV[1], 0
  redis.call('DEL', history)
end

-- What is kept, and what is told besides.
local records, told = {}, {}

local function tell(number, id, said, now, most, head)
  local record = table.concat({ number, said, id, now, most, #head }, ' ') .. '\n' .. head
  told[#told + 1] = record
  return record
end

local function add(id, said, now, most, head)
  seq = seq + 1
  records[#records + 1] = tell(string.format('%.0f', seq), id, said, now, most, head)
  if now ~= '-' then
    at, current, max = tonumber(said), now, most
  end
end

local function save()
  if #records > 0 and ARGV[2] ~= '0' then
    redis.call('RPUSH', history, unpack(records))
    redis.call('LTRIM', history, -ARGV[2], -1)
    redis.call('PEXPIRE', history, ARGV[3])
  end
  if #records > 0 or begins then
    local number = string.format('%.0f', seq)
    redis.call('HSET', state, 'run', run, 'epoch', epoch, 'seq', number, 'at', string.format('%.0f', at))
    if current then
      redis.call('HSET', state, 'current', current, 'max', max)
    end
    redis.call('PEXPIRE', state, ARGV[3])
  end
  if #told > 0 then
    redis.call('SPUBLISH', channel, epoch .. '\n' .. table.concat(told))
  end
end

