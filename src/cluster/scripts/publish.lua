-- Numbers a batch of updates of one process, keeps it and tells it. ARGV: 4 how it comes, 5 the process, 6 the number of
-- its last update among those of the process, 7 how many are updates, 8 the time of the newest counts in µs (of the
-- newest update where there are none), 9 current and 10 max ('-' for none), 11 the batch.
-- 'first': for the first time. 'again': it is not known whether it has come. 'late': nor whether there is newer.
local how, by, outdated = ARGV[4], 'by:' .. ARGV[5], 0
-- A process sends what it has for a room in order, so the last that has come tells of all before.
if how ~= 'first' and (tonumber(redis.call('HGET', state, by)) or -1) >= tonumber(ARGV[6]) then
  -- It has come.
elseif how == 'late' and ARGV[7] ~= '0' and tonumber(ARGV[8]) <= at then
  outdated = ARGV[7]
else
  if redis.call('HLEN', state) > 100 then
    -- Of processes that have long ended nothing comes again.
    for _, field in ipairs(redis.call('HKEYS', state)) do
      if string.sub(field, 1, 3) == 'by:' then
        redis.call('HDEL', state, field)
      end
    end
  end
  redis.call('HSET', state, by, ARGV[6])
  add(ARGV[11], tonumber(ARGV[7]), tonumber(ARGV[8]), ARGV[9], ARGV[10])
end
settle()
return { state, epoch, whole(seq), tostring(outdated) }
