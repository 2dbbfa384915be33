#!lua name=footlight_room

-- Everything a room does in Redis, each in one round trip on the shard that owns it. All keys carry the tag
-- {stream id}, so they live in one slot; the last key of a publishing function is the room's channel.
-- What travels on the channel: `m <epoch> <offset> <entry>`, `s <status>`, `c <slow mode's seconds>`, and from
-- presence.lua `v <viewers> <peak>` (read by room/local.py).

local KEEP_SECONDS = 86400      -- an idle room is forgotten after a day, once the archive has all of it
local KEEP_ENTRIES = 1000       -- the newest, archived or not; no answer is longer
local DUPLICATE_MS = 600000     -- the same id gets the same answer for 10 minutes
local RATE_MS = 30000
local RULES_SECONDS = 7776000   -- bans and settings are forgotten 90 days after the last change

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function offset_of(row)
  return row and tonumber(string.match(row[1], '^%d+'))
end

local function newest_of(log)
  return offset_of(redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1]) or 0
end

-- The epoch, newest and archived offset. A room whose log was lost (or never was) begins a new epoch, and so does one
-- that has another owner than before: a promoted replica may lack the newest entries, and their offsets are given out
-- again. What is still in the log stays there, each entry with its own epoch, until it is archived.
local function position(meta, log, new_epoch)
  local owner = redis.call('CLUSTER', 'MYID')
  local found = redis.call('HMGET', meta, 'epoch', 'offset', 'owner', 'archived')
  local archived = tonumber(found[4] or 0)
  if found[1] and found[3] == owner then return found[1], tonumber(found[2]), archived end
  local newest = tonumber(found[2] or newest_of(log))
  redis.call('HSET', meta, 'epoch', new_epoch, 'offset', newest, 'owner', owner)
  if newest == 0 then redis.call('EXPIRE', meta, KEEP_SECONDS) end
  return new_epoch, newest, archived
end

-- The newest entries stay, and everything that is not in the archive.
local function first_kept(newest, archived)
  return math.max(0, math.min(newest - KEEP_ENTRIES, archived) + 1) .. '-0'
end

-- How long somebody must wait who may say `count` things in the window; 0 for not at all.
local function wait_for_rate(window, now, count)
  if redis.call('ZCOUNT', window, now - RATE_MS + 1, '+inf') < count then return 0 end
  local first = redis.call('ZREVRANGE', window, count - 1, count - 1, 'WITHSCORES')
  return math.max(1, first[2] + RATE_MS - now)
end

-- Why this user may not speak now: nothing, or {'banned', ms or 0 for good}, {'slow', ms}, {'fast', ms}.
local function refusal(keys, user, exempt, count, now)
  local banned = redis.call('HGET', keys.bans, user)
  if banned == '0' then return {'banned', 0} end
  if banned and tonumber(banned) > now then return {'banned', banned - now} end
  local slow = redis.call('HGET', keys.settings, 'slow')
  local last = slow and slow ~= '0' and not exempt and redis.call('GET', keys.said)
  if last and last + slow * 1000 > now then return {'slow', last + slow * 1000 - now} end
  local wait = wait_for_rate(keys.rate, now, count)
  if wait > 0 then return {'fast', wait} end
end

local function remember(keys, user, id, now, offset)
  local slow = tonumber(redis.call('HGET', keys.settings, 'slow') or 0)
  if slow > 0 then redis.call('SET', keys.said, now, 'EX', slow) end
  redis.call('ZREMRANGEBYSCORE', keys.rate, '-inf', now - RATE_MS)
  redis.call('ZADD', keys.rate, now, id)
  redis.call('PEXPIRE', keys.rate, RATE_MS)
  redis.call('SET', keys.sent, offset, 'PX', DUPLICATE_MS)
end

-- keys: meta, log, stream, bans, settings, sent, rate, said, channel. args: new epoch, user, id, 1 when slow mode does
-- not concern them, entries they may say in 30 s, entries that may wait for the archive, 1 when the caller knows that
-- the stream is over, entry without its offset (`{"a":...}`).
-- Answers {'ok', epoch, offset}, {'ended'}, {'full'}, or {'banned'|'slow'|'fast', milliseconds to wait}.
local function room_append(keys, args)
  local meta, log, stream, channel = keys[1], keys[2], keys[3], keys[9]
  local own = {bans = keys[4], settings = keys[5], sent = keys[6], rate = keys[7], said = keys[8]}
  local user, id = args[2], args[3]
  local epoch, offset, archived = position(meta, log, args[1])
  local before = redis.call('GET', own.sent)
  if before then return {'ok', epoch, tonumber(before)} end
  if args[7] == '1' or redis.call('HGET', stream, 'status') == 'ended' then return {'ended'} end
  local now = now_ms()
  local refused = refusal(own, user, args[4] == '1', tonumber(args[5]), now)
  if refused then return refused end
  if offset - archived >= tonumber(args[6]) then return {'full'} end

  offset = offset + 1
  local entry = '{"offset":' .. offset .. ',' .. string.sub(args[8], 2)
  redis.call('XADD', log, 'MINID', first_kept(offset, archived), offset .. '-0', 'e', entry, 'p', epoch)
  redis.call('HSET', meta, 'offset', offset)
  redis.call('PERSIST', meta)
  redis.call('PERSIST', log)
  remember(own, user, id, now, offset)
  redis.call('SPUBLISH', channel, 'm ' .. epoch .. ' ' .. offset .. ' ' .. entry)
  return {'ok', epoch, offset}
end

local function entries_of(rows)
  local entries = {}
  for _, row in ipairs(rows) do
    entries[#entries + 1] = offset_of(row)
    entries[#entries + 1] = row[2][2]
  end
  return entries
end

-- keys: meta, log, settings. args: new epoch, the reader's epoch ('' for none), the reader's offset, entries of a
-- fresh view. Answers {recovered 0|1, epoch, newest offset, slow mode's seconds, {offset, entry, ...}}.
local function room_since(keys, args)
  local meta, log = keys[1], keys[2]
  local epoch, newest = position(meta, log, args[1])
  local slow = tonumber(redis.call('HGET', keys[3], 'slow') or 0)
  local after, fresh = tonumber(args[3]), math.min(tonumber(args[4]), KEEP_ENTRIES)
  if args[2] == epoch and after <= newest and newest - after <= KEEP_ENTRIES then
    local rows = redis.call('XRANGE', log, (after + 1) .. '-0', '+')
    -- No hole: what is there begins right after the reader's offset and goes to the newest.
    if #rows == newest - after then return {1, epoch, newest, slow, entries_of(rows)} end
  end
  local rows = fresh > 0 and redis.call('XREVRANGE', log, '+', '-', 'COUNT', fresh) or {}
  local forward = {}
  for index = #rows, 1, -1 do forward[#forward + 1] = rows[index] end
  return {0, epoch, newest, slow, entries_of(forward)}
end

-- keys: bans. args: user, until when in milliseconds (0 for good, '' to lift it).
local function room_ban(keys, args)
  if args[2] == '' then return redis.call('HDEL', keys[1], args[1]) end
  redis.call('HSET', keys[1], args[1], args[2])
  redis.call('EXPIRE', keys[1], RULES_SECONDS)
  return 1
end

-- keys: settings, channel. args: seconds.
local function room_slow(keys, args)
  redis.call('HSET', keys[1], 'slow', args[1])
  redis.call('EXPIRE', keys[1], RULES_SECONDS)
  redis.call('SPUBLISH', keys[2], 'c ' .. args[1])
  return 1
end

-- A user's window over all rooms, on a shard of its own. keys: window. args: what is said, entries in 30 s.
-- Answers 0, or milliseconds to wait. What was let in before is let in again and does not count.
local function user_pace(keys, args)
  local window, now = keys[1], now_ms()
  if redis.call('ZSCORE', window, args[1]) then return 0 end
  local wait = wait_for_rate(window, now, tonumber(args[2]))
  if wait > 0 then return wait end
  redis.call('ZREMRANGEBYSCORE', window, '-inf', now - DUPLICATE_MS)
  redis.call('ZADD', window, now, args[1])
  redis.call('PEXPIRE', window, DUPLICATE_MS)
  return 0
end

-- One archiver at a time reads what the archive lacks. keys: meta, log, lease. args: archiver, lease in ms, entries.
-- Answers {} when another archiver is at it, else {newest, archived, entries that are gone unread,
-- {offset, epoch, entry, ...}}.
local function room_unarchived(keys, args)
  local meta, log, lease = unpack(keys)
  local holder = redis.call('GET', lease)
  if holder and holder ~= args[1] then return {} end
  redis.call('SET', lease, args[1], 'PX', args[2])
  local found = redis.call('HMGET', meta, 'offset', 'archived')
  local newest = tonumber(found[1] or newest_of(log))
  local rows = redis.call('XRANGE', log, (tonumber(found[2] or 0) + 1) .. '-0', '+', 'COUNT', args[3])
  local first = offset_of(rows[1]) or newest + 1
  local archived, gone = tonumber(found[2] or first - 1), 0
  if first > archived + 1 and found[1] then
    gone, archived = first - 1 - archived, first - 1
    redis.call('HSET', meta, 'archived', archived)
  end
  local entries = {}
  for _, row in ipairs(rows) do
    entries[#entries + 1] = offset_of(row)
    entries[#entries + 1] = row[2][4] or '0'  -- written by a release that did not note the epoch
    entries[#entries + 1] = row[2][2]
  end
  return {newest, archived, gone, entries}
end

-- The archive has everything up to this entry. keys: meta, log. args: epoch, offset.
-- Another entry at this place (a replica took over that lacked the one archived) is not archived: nothing changes.
local function room_archived(keys, args)
  local meta, log, id = keys[1], keys[2], args[2] .. '-0'
  local row = redis.call('XRANGE', log, id, id)[1]
  if not row or (row[2][4] or '0') ~= args[1] then return 0 end
  local found = redis.call('HMGET', meta, 'offset', 'archived')
  local newest = tonumber(found[1] or newest_of(log))
  local archived = math.max(tonumber(found[2] or 0), tonumber(args[2]))
  redis.call('HSET', meta, 'archived', archived)
  redis.call('XTRIM', log, 'MINID', first_kept(newest, archived))
  if archived >= newest then
    redis.call('EXPIRE', meta, KEEP_SECONDS)
    redis.call('EXPIRE', log, KEEP_SECONDS)
  end
  return 1
end

-- keys: lease. args: archiver. Another one's lease stays.
local function room_release(keys, args)
  if redis.call('GET', keys[1]) == args[1] then return redis.call('DEL', keys[1]) end
  return 0
end

-- The rooms an archiver looks at, each with the moment it was last said to be active. keys: marks. args: room.
local function room_mark(keys, args)
  return redis.call('ZADD', keys[1], now_ms(), args[1])
end

-- Forget the room unless it was marked lately. keys: marks. args: room, milliseconds.
local function room_unmark(keys, args)
  local marked = redis.call('ZSCORE', keys[1], args[1])
  if not marked or marked + args[2] > now_ms() then return 0 end
  return redis.call('ZREM', keys[1], args[1])
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

redis.register_function('room_append', room_append)
redis.register_function('room_since', room_since)
redis.register_function('room_stream', room_stream)
redis.register_function('room_ban', room_ban)
redis.register_function('room_slow', room_slow)
redis.register_function('user_pace', user_pace)
redis.register_function('room_unarchived', room_unarchived)
redis.register_function('room_archived', room_archived)
redis.register_function('room_release', room_release)
redis.register_function('room_mark', room_mark)
redis.register_function('room_unmark', room_unmark)
