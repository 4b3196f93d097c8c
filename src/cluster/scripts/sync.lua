-- What a process needs to be up to date. ARGV: 6 the epoch and 7 the number that it has, '' for none; then its own
-- newest counts, where it has any: 8 their time in µs, 9 current, 10 max, 11 an update that says them, as a batch.
-- A room that Redis has lost, or knows older counts of, gets them from here.
if ARGV[11] and tonumber(ARGV[8]) > at and (ARGV[9] ~= current or ARGV[10] ~= max) then
  add(ARGV[11], 1, tonumber(ARGV[8]), ARGV[9], ARGV[10], last or 0)
elseif not held[2] then
  return { state }
end
settle()
local reply = { state, epoch, whole(seq), whole(at), current or '-', max or '-' }
if ARGV[6] ~= epoch then
  for _, batch in ipairs(redis.call('LRANGE', history, 0, -1)) do
    reply[#reply + 1] = batch
  end
  return reply
end
-- The newest first, as far as they are missing.
local known, missing, index = tonumber(ARGV[7]), seq, -1
while missing > known do
  local batch = redis.call('LINDEX', history, index)
  if not batch then
    break
  end
  table.insert(reply, 7, batch)
  missing = tonumber(string.match(batch, '^%d+')) - 1
  index = index - 1
end
return reply
