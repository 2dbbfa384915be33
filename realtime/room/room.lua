#!lua name=footlight_room

-- Everything a room does in Redis, each in one round trip on the shard that owns it. All keys carry the tag
-- {stream id}, so they live in one slot; the last key of a publishing function is the room's channel.
-- What travels on the channel: `m <epoch> <offset> <entry>`, `v <viewers>`, `s <status>` (read by room/local.py).

local KEEP_SECONDS = 86400      -- an idle room is forgotten after a day
local KEEP_ENTRIES = 1000
local DUPLICATE_MS = 600000     -- the same id gets the same answer for 10 minutes
local RATE_COUNT, RATE_MS = 20, 30000

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The epoch and newest offset. A room whose log was lost (or never was) begins a new epoch, and so does one that has
-- another owner than before: a promoted replica may lack the newest entries, and their offsets are given out again.
local function position(meta, log, new_epoch)
  local owner = redis.call('CLUSTER', 'MYID')
  local found = redis.call('HMGET', meta, 'epoch', 'offset', 'owner')
  if found[1] and found[3] == owner then return found[1], tonumber(found[2]) end
  if found[1] then
    redis.call('HSET', meta, 'epoch', new_epoch, 'owner', owner)
    return new_epoch, tonumber(found[2])
  end
  redis.call('DEL', log)
  redis.call('HSET', meta, 'epoch', new_epoch, 'offset', 0, 'owner', owner)
  redis.call('EXPIRE', meta, KEEP_SECONDS)
  return new_epoch, 0
end

-- keys: meta, log, stream, sent, rate, channel. args: new epoch, id, entry without its offset (`{"a":...}`).
-- Answers {'ok', epoch, offset}, {'ended'} or {'fast', milliseconds to wait}.
local function room_append(keys, args)
  local meta, log, stream, sent, rate, channel = unpack(keys)
  local epoch, offset = position(meta, log, args[1])
  local before = redis.call('GET', sent)
  if before then return {'ok', epoch, tonumber(before)} end
  if redis.call('HGET', stream, 'status') == 'ended' then return {'ended'} end

  local now = now_ms()
  redis.call('ZREMRANGEBYSCORE', rate, '-inf', now - RATE_MS)
  if redis.call('ZCARD', rate) >= RATE_COUNT then
    local oldest = redis.call('ZRANGE', rate, 0, 0, 'WITHSCORES')
    return {'fast', math.max(1, oldest[2] + RATE_MS - now)}
  end
  redis.call('ZADD', rate, now, args[2])
  redis.call('PEXPIRE', rate, RATE_MS)

  offset = offset + 1
  local entry = '{"offset":' .. offset .. ',' .. string.sub(args[3], 2)
  redis.call('HSET', meta, 'offset', offset)
  redis.call('XADD', log, 'MAXLEN', KEEP_ENTRIES, offset .. '-0', 'e', entry)
  redis.call('SET', sent, offset, 'PX', DUPLICATE_MS)
  redis.call('EXPIRE', meta, KEEP_SECONDS)
  redis.call('EXPIRE', log, KEEP_SECONDS)
  redis.call('SPUBLISH', channel, 'm ' .. epoch .. ' ' .. offset .. ' ' .. entry)
  return {'ok', epoch, offset}
end

local function entries_of(rows)
  local entries = {}
  for _, row in ipairs(rows) do
    entries[#entries + 1] = tonumber(string.match(row[1], '^%d+'))
    entries[#entries + 1] = row[2][2]
  end
  return entries
end

-- keys: meta, log. args: new epoch, the reader's epoch ('' for none), the reader's offset, entries of a fresh view.
-- Answers {recovered 0|1, epoch, newest offset, {offset, entry, offset, entry, ...}}.
local function room_since(keys, args)
  local meta, log = unpack(keys)
  local epoch, newest = position(meta, log, args[1])
  local after, fresh = tonumber(args[3]), tonumber(args[4])
  if args[2] == epoch and after <= newest then
    local rows = redis.call('XRANGE', log, (after + 1) .. '-0', '+')
    -- No hole: what is there begins right after the reader's offset and goes to the newest.
    if #rows == newest - after then return {1, epoch, newest, entries_of(rows)} end
  end
  local rows = fresh > 0 and redis.call('XREVRANGE', log, '+', '-', 'COUNT', fresh) or {}
  local forward = {}
  for index = #rows, 1, -1 do forward[#forward + 1] = rows[index] end
  return {0, epoch, newest, entries_of(forward)}
end

-- Takes a stream's new state unless what is known is as new; `ended` is final.
-- keys: stream, channel. args: at in microseconds, status, snapshot, the message for the channel ('' for none).
-- Answers the snapshot that holds now.
local function room_stream(keys, args)
  local stream, channel = unpack(keys)
  local known = redis.call('HMGET', stream, 'at', 'status', 'snapshot')
  if known[1] and (tonumber(known[1]) >= tonumber(args[1]) or (known[2] == 'ended' and args[2] ~= 'ended')) then
    return known[3]
  end
  redis.call('HSET', stream, 'at', args[1], 'status', args[2], 'snapshot', args[3])
  redis.call('EXPIRE', stream, KEEP_SECONDS)
  if args[4] ~= '' then redis.call('SPUBLISH', channel, args[4]) end
  return args[3]
end

-- Viewers are members with the moment they are forgotten. keys: viewers, shown, channel.
-- args: milliseconds a report holds, milliseconds a leaving viewer lingers, number of present, present..., leaving...
-- Answers {viewers, 1 when the change was too fresh to be shown and somebody must ask again}.
local function room_viewers(keys, args)
  local viewers, shown, channel = unpack(keys)
  local now, hold, linger, present = now_ms(), tonumber(args[1]), tonumber(args[2]), tonumber(args[3])
  for index = 4, #args do
    local until_ms = now + (index < 4 + present and hold or linger)
    redis.call('ZADD', viewers, until_ms, args[index])
  end
  redis.call('ZREMRANGEBYSCORE', viewers, '-inf', now)
  redis.call('PEXPIRE', viewers, hold)
  local count = redis.call('ZCARD', viewers)
  local last = redis.call('HMGET', shown, 'count', 'at')
  if tonumber(last[1] or -1) == count then return {count, 0} end
  if now - tonumber(last[2] or 0) < 1000 then return {count, 1} end
  redis.call('HSET', shown, 'count', count, 'at', now)
  redis.call('PEXPIRE', shown, hold)
  redis.call('SPUBLISH', channel, 'v ' .. count)
  return {count, 0}
end

-- keys: viewers. Answers how many there are at this moment.
local function room_count(keys, args)
  return redis.call('ZCOUNT', keys[1], now_ms(), '+inf')
end

redis.register_function('room_append', room_append)
redis.register_function('room_since', room_since)
redis.register_function('room_stream', room_stream)
redis.register_function('room_viewers', room_viewers)
redis.register_function('room_count', room_count)
