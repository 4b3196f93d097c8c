-- Numbers a batch of updates of one process, keeps it and tells it. ARGV: 6 how it comes, 7 the number of its last
-- update among those of the process, 8 how many are updates, 9 the time of the newest counts in µs (of the newest update
-- where there are none), 10 current and 11 max ('-' for none), 12 the batch.
-- 'first': for the first time. 'again': it is not known whether it has come. 'late': nor whether there is newer.
local how, outdated = ARGV[6], '0'
-- A process sends what it has for a room in order, so the last that has come tells of all before.
if how ~= 'first' and (last or -1) >= tonumber(ARGV[7]) then
  -- It has come.
elseif how == 'late' and ARGV[8] ~= '0' and tonumber(ARGV[9]) <= at then
  outdated = ARGV[8]
else
  if not last and redis.call('HLEN', state) > 100 then
    -- Of processes that have long ended nothing comes again.
    for _, field in ipairs(redis.call('HKEYS', state)) do
      if string.sub(field, 1, 3) == 'by:' then
        redis.call('HDEL', state, field)
      end
    end
  end
  add(ARGV[12], tonumber(ARGV[8]), tonumber(ARGV[9]), ARGV[10], ARGV[11], ARGV[7])
end
settle()
return { state, epoch, whole(seq), outdated }
