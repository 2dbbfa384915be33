-- What the archiver asks of a room. Part of the library that room.lua begins; it stands on its functions.

-- One archiver at a time reads what the archive lacks. keys: meta, log, lease. args: archiver, lease in ms, entries.
-- Answers {} when another archiver is at it, else {newest, archived, entries that are gone unread,
-- {offset, epoch, mark, entry, ...}}.
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
    entries[#entries + 1] = mark_of(row)
    entries[#entries + 1] = row[2][2]
  end
  return {newest, archived, gone, entries}
end

-- The archive has everything up to this entry. keys: meta, log, removed, removals, rules, bans, roles, cautions. args: epoch, offset.
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
    for index = 2, #keys do redis.call('EXPIRE', keys[index], KEEP_SECONDS) end
    -- What was removed must be known for longer than any entry that an archiver which is away leaves in the log.
    for index = 3, 4 do redis.call('EXPIRE', keys[index], 30 * KEEP_SECONDS) end
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

redis.register_function('room_unarchived', room_unarchived)
redis.register_function('room_archived', room_archived)
redis.register_function('room_release', room_release)
redis.register_function('room_mark', room_mark)
redis.register_function('room_unmark', room_unmark)
