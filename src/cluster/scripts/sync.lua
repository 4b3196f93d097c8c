-- What a process needs to be up to date. ARGV from 4: the epoch and number that it has, '' for none; then its own
-- newest counts as an update, where it has any: process, time in µs, current, max, message up to its number.
-- A room that Redis has lost, or knows older counts of, gets them from here.
local own = ARGV[10] ~= nil
if own and tonumber(ARGV[7]) > at and (ARGV[8] ~= current or ARGV[9] ~= max) then
  add(ARGV[6] .. '.0', ARGV[7], ARGV[8], ARGV[9], ARGV[10])
end
if not held[2] and #records == 0 then
  return { state }
end
save()
local from = 0
if ARGV[4] == epoch then
  from = tonumber(ARGV[5]) - seq
end
local reply = { state, epoch, string.format('%.0f', seq), string.format('%.0f', at), current or '-', max or '-' }
if from < 0 or ARGV[4] ~= epoch then
  for _, record in ipairs(redis.call('LRANGE', history, from, -1)) do
    reply[#reply + 1] = record
  end
end
return reply
