-- Numbers updates, keeps them and tells them. ARGV from 4: how they come, the process, then of each: its number among
-- those of the process, time in µs, current, max ('-' where it has no counts), message up to its number. Where current
-- is '!' it is no update: it is told in its place, not numbered and not kept.
-- 'first': for the first time. 'again': it is not known whether they have come. 'late': nor whether there is newer.
local how, process, outdated = ARGV[4], ARGV[5], 0
-- A process sends what it has for a room in order, so the last that has come tells of all before.
local by = 'by:' .. process
local last = how ~= 'first' and tonumber(redis.call('HGET', state, by)) or 0
for i = 6, #ARGV, 5 do
  if tonumber(ARGV[i]) <= last then
    -- It has come.
  elseif ARGV[i + 2] == '!' then
    tell('0', process .. '.' .. ARGV[i], ARGV[i + 1], '!', '!', '')
  elseif how == 'late' and tonumber(ARGV[i + 1]) <= at then
    outdated = outdated + 1
  else
    add(process .. '.' .. ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4])
  end
end
if #told > 0 then
  if redis.call('HLEN', state) > 100 then
    -- Of processes that have long ended nothing comes again.
    for _, field in ipairs(redis.call('HKEYS', state)) do
      if string.sub(field, 1, 3) == 'by:' then
        redis.call('HDEL', state, field)
      end
    end
  end
  redis.call('HSET', state, by, ARGV[#ARGV - 4])
  redis.call('PEXPIRE', state, ARGV[3])
end
save()
return { state, epoch, string.format('%.0f', seq), tostring(outdated) }
