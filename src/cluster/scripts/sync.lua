-- What a process needs to be up to date. ARGV: 4 the epoch and 5 the number that it has, '' for none; then its own
-- newest counts, where it has any: 6 their time in µs, 7 current, 8 max, 9 an update that says them, as a batch.
-- A room that Redis has lost, or knows older counts of, gets them from here.
local own = ARGV[9] and tonumber(ARGV[6]) > at and (ARGV[7] ~= current or ARGV[8] ~= max)
if own then
  add(ARGV[9], 1, tonumber(ARGV[6]), ARGV[7], ARGV[8])
elseif not held[2] then
  return { state }
end
settle()
local reply = { state, epoch, whole(seq), whole(at), current or '-', max or '-' }
if ARGV[4] ~= epoch then
  for _, batch in ipairs(redis.call('LRANGE', history, 0, -1)) do
    reply[#reply + 1] = batch
  end
else
  -- The newest first, as far as they are missing.
  local known, missing, index = tonumber(ARGV[5]), seq, -1
  while missing > known do
    local batch = redis.call('LINDEX', history, index)
    if not batch then
      break
    end
    table.insert(reply, 7, batch)
    missing = tonumber(string.match(batch, '^%d+')) - 1
    index = index - 1
  end
end
return reply
