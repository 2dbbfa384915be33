#!lua name=footlight_room

-- Everything a room does in Redis, each in one round trip on the shard that owns it. All keys carry the tag
-- {stream id}, so they live in one slot; the last key of a publishing function is the room's channel.
-- What travels on the channel (read by room/local.py): `m <epoch> <offset> <mark>\n<entry>`, `c <revision> <patch>`
-- when rules changed, `s <status>`; from presence.lua `v <viewers> <peak>`; from features.lua `d`, `u`, `p`, `r`.
-- Marks and removals: docs/moderation-design.md.

local KEEP_SECONDS = 86400      -- an idle room is forgotten after a day, once the archive has all of it
local KEEP_ENTRIES = 1000       -- the newest, archived or not; no answer is longer
local DUPLICATE_MS = 600000     -- the same id gets the same answer for 10 minutes
local RATE_MS = 30000
local UNIQUE_MS = 600000        -- in unique chat nobody says again what was said in the last 10 minutes
local KEEP_REMOVALS = 2000      -- of more, those of lines that are not kept any more are forgotten
local KEEP_RESTORED = 100       -- so many messages come back when a removal is undone, the newest

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

-- This node's id in the cluster, as long as its process lives.
local own_id
local function owner_id()
  own_id = own_id or redis.call('CLUSTER', 'MYID')
  return own_id
end

-- The epoch, newest and archived offset. A room whose log was lost (or never was) begins a new epoch, and so does one
-- that has another owner than before: a promoted replica may lack the newest entries, and their offsets are given out
-- again. What is still in the log stays there, each entry with its own epoch, until it is archived.
local function position(meta, log, new_epoch)
  local owner = owner_id()
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

local function expires_at(value)
  return tonumber(string.match(value, '^%d+'))
end

-- Why who follows since `followed` ('' not at all, '?' nobody asked) may not speak among followers.
local function follower_refusal(asked, followed, now)
  if followed == '?' then return {'facts'} end
  if followed == '' then return {'followers', 0, tonumber(asked)} end
  local wait = tonumber(followed) + asked * 1000 - now
  if wait > 0 then return {'followers', wait, tonumber(asked)} end
end

-- What the room's modes say to somebody who is not exempt from them.
local function mode_refusal(keys, rules, who, now)
  if rules.followers ~= '' then
    local refused = follower_refusal(rules.followers, who.followed, now)
    if refused then return refused end
  end
  if rules.subscribers == '1' and who.subscriber ~= '1' then return {'subscribers'} end
  if rules.emotes == '1' and who.emotes ~= '1' then return {'emotes'} end
  if rules.unique == '1' and who.has_print then
    local wait = redis.call('PTTL', keys.unique)
    if wait > 0 then return {'unique', wait} end
  end
  local last = rules.slow > 0 and redis.call('GET', keys.said)
  if last and last + rules.slow * 1000 > now then return {'slow', last + rules.slow * 1000 - now} end
end

-- Why this user may not speak now, or nothing. Rank 0 is bound by everything, 1 not by modes, 2 not by read-only,
-- 3 (a moderator let the message through) by bans alone.
local function refusal(keys, rules, who, now)
  local banned = redis.call('HGET', keys.bans, who.user)
  if banned then
    local ends = expires_at(banned)
    if ends == 0 then return {'banned', 0} end
    if ends > now then return {'banned', ends - now} end
  end
  if who.rank == 3 then return end
  local caution = redis.call('HGET', keys.cautions, who.user)
  if caution then return {'warned', caution} end
  if rules.read_only == '1' and who.rank < 2 then return {'read_only'} end
  local refused = who.rank < 1 and mode_refusal(keys, rules, who, now)
  if refused then return refused end
  local wait = who.count > 0 and wait_for_rate(keys.rate, now, who.count) or 0
  if wait > 0 then return {'fast', wait} end
end

local function remember(keys, rules, who, now, offset)
  if rules.slow > 0 then redis.call('SET', keys.said, now, 'EX', rules.slow) end
  if rules.unique == '1' and who.has_print then
    redis.call('SET', keys.unique, 1, 'PX', UNIQUE_MS)
  end
  if who.count > 0 then
    redis.call('ZREMRANGEBYSCORE', keys.rate, '-inf', now - RATE_MS)
    redis.call('ZADD', keys.rate, now, who.id)
    redis.call('PEXPIRE', keys.rate, RATE_MS)
  end
  redis.call('SET', keys.sent, offset, 'PX', DUPLICATE_MS)
end

-- The modes as the checks read them; nothing while the room does not know its rules.
local function modes(rules)
  local found = redis.call('HMGET', rules, 'revision', 'slow', 'auto_slow', 'followers', 'subscribers', 'emotes',
    'unique', 'read_only')
  if not found[1] then return end
  return {
    slow = math.max(tonumber(found[2]), tonumber(found[3] or 0)), followers = found[4], subscribers = found[5],
    emotes = found[6], unique = found[7], read_only = found[8],
  }
end

-- Gives an entry the next place: into the log, and to every node. `original` is the message a restored line holds.
local function add(keys, epoch, offset, archived, mark, body, original)
  local entry = '{"offset":' .. offset .. ',' .. string.sub(body, 2)
  redis.call('XADD', keys.log, 'MINID', first_kept(offset, archived), offset .. '-0', 'e', entry, 'p', epoch, 'm', mark,
    unpack(original and {'o', original} or {}))
  redis.call('SPUBLISH', keys.channel, 'm ' .. epoch .. ' ' .. offset .. ' ' .. mark .. '\n' .. entry)
end

-- A room expires only while the archive has all of it (room_archived), so only then there is something to take back.
local function keep(meta, log, offset, before, archived)
  redis.call('HSET', meta, 'offset', offset)
  if before > archived then return end
  redis.call('PERSIST', meta)
  redis.call('PERSIST', log)
end

-- keys: meta, log, stream, bans, cautions, rules, unique (of this text, or `...:` for none), sent, rate, said, channel.
-- args: new epoch, user, id, rank, entries they may say in 30 s (0 when that was counted on the user's shard), entries that may wait for
-- the archive, 1 when the caller knows that the stream is over, followed since ('' not, '?' unknown), 1 for a
-- subscriber, 1 for nothing but emotes, entry without its offset (`{"a":...}`).
-- Answers {'ok', epoch, offset}, {'ended'}, {'full'}, {'rules'} and {'facts'} when something must be told first, or why
-- not, with milliseconds to wait.
local function room_append(keys, args)
  local meta, stream = keys[1], keys[3]
  local own = {log = keys[2], bans = keys[4], cautions = keys[5], unique = keys[7], sent = keys[8], rate = keys[9],
    said = keys[10], channel = keys[11]}
  local who = {user = args[2], id = args[3], rank = tonumber(args[4]), count = tonumber(args[5]), followed = args[8],
    subscriber = args[9], emotes = args[10], has_print = string.sub(keys[7], -1) ~= ':'}
  local epoch, offset, archived = position(meta, own.log, args[1])
  local before = redis.call('GET', own.sent)
  if before then return {'ok', epoch, tonumber(before)} end
  if args[7] == '1' or redis.call('HGET', stream, 'status') == 'ended' then return {'ended'} end
  local rules = modes(keys[6])
  if not rules then return {'rules'} end
  local now = now_ms()
  local refused = refusal(own, rules, who, now)
  if refused then return refused end
  if offset - archived >= tonumber(args[6]) then return {'full'} end
  add(own, epoch, offset + 1, archived, who.user .. ' ' .. who.id, args[11])
  keep(meta, own.log, offset + 1, offset, archived)
  remember(own, rules, who, now, offset + 1)
  return {'ok', epoch, offset + 1}
end

-- What a removal's mark covers: '*', a user, or a user and a message.
local function covered_by(mark)
  return string.match(mark, '^!([*])$') or string.match(mark, '^!%a (.+)$')
end

local function said_of(mark)
  return string.match(mark, '^%+?([^!+].*)$')
end

local function removals_of(removed)
  local flat, gone = redis.call('HGETALL', removed), {}
  for index = 1, #flat, 2 do gone[flat[index]] = tonumber(flat[index + 1]) end
  return gone
end

local function is_removed(gone, mark, offset)
  local said = said_of(mark)
  if not said then return false end
  local user = string.match(said, '^%S+')
  return (gone['*'] or 0) > offset or (gone[user] or 0) > offset or (gone[said] or 0) > offset
end

local function mark_of(row)
  for index = 5, #row[2], 2 do
    if row[2][index] == 'm' then return row[2][index + 1] end
  end
  return '!'
end

local function tombstone(stream, offset)
  return '{"offset":' .. offset .. ',"kind":"removed","stream_id":"' .. stream .. '"}'
end

-- {offset, mark, entry, ...}: nobody is given what was removed.
local function entries_of(rows, gone, stream)
  local entries = {}
  for _, row in ipairs(rows) do
    local offset, mark, entry = offset_of(row), mark_of(row), row[2][2]
    if is_removed(gone, mark, offset) then mark, entry = '!', tombstone(stream, offset) end
    entries[#entries + 1] = offset
    entries[#entries + 1] = mark
    entries[#entries + 1] = entry
  end
  return entries
end

-- keys: meta, log, removed. args: new epoch, the reader's epoch ('' for none), the reader's offset, entries of a
-- fresh view, the stream's id. Answers {recovered 0|1, epoch, newest offset, {offset, mark, entry, ...}}.
local function room_since(keys, args)
  local meta, log = keys[1], keys[2]
  local epoch, newest = position(meta, log, args[1])
  local after, fresh = tonumber(args[3]), math.min(tonumber(args[4]), KEEP_ENTRIES)
  local gone = removals_of(keys[3])
  if args[2] == epoch and after <= newest and newest - after <= KEEP_ENTRIES then
    local rows = redis.call('XRANGE', log, (after + 1) .. '-0', '+')
    -- No hole: what is there begins right after the reader's offset and goes to the newest.
    if #rows == newest - after then return {1, epoch, newest, entries_of(rows, gone, args[5])} end
  end
  local rows = fresh > 0 and redis.call('XREVRANGE', log, '+', '-', 'COUNT', fresh) or {}
  local forward = {}
  for index = #rows, 1, -1 do forward[#forward + 1] = rows[index] end
  return {0, epoch, newest, entries_of(forward, gone, args[5])}
end

-- The newest line with this mark.
local function newest_with(log, mark)
  local before = '+'
  while true do
    local rows = redis.call('XREVRANGE', log, before, '-', 'COUNT', 200)
    for _, row in ipairs(rows) do
      if mark_of(row) == mark then return row end
    end
    if #rows < 200 then return end
    before = '(' .. rows[#rows][1]
  end
end

-- What was said under this mark; an announcement or a gift has a plus before it, as a pin of it has.
local function said_under(log, mark)
  local row = newest_with(log, mark)
  if row then return row end
  row = newest_with(log, '+' .. mark)
  if row and string.match(row[2][2], '"kind":"(%a+)"') ~= 'pin' then return row end
end

-- One message as it is in the log: for the snapshot of an action. keys: log, removed. args: mark, 1 for one that was
-- removed too.
local function room_find(keys, args)
  local row = said_under(keys[1], args[1])
  if not row then return false end
  if args[2] ~= '1' and is_removed(removals_of(keys[2]), args[1], offset_of(row)) then return false end
  return row[2][7] == 'o' and row[2][8] or row[2][2]
end

local function prune(removed, removals, first)
  if redis.call('HLEN', removed) + redis.call('HLEN', removals) < KEEP_REMOVALS then return end
  for _, name in ipairs({removed, removals}) do
    local flat = redis.call('HGETALL', name)
    for index = 1, #flat, 2 do
      if expires_at(flat[index + 1]) < first then redis.call('HDEL', name, flat[index]) end
    end
  end
end

-- Notes that everything before `offset` that the mark covers is removed, and what held before, for an undo.
local function remove(keys, id, mark, offset, archived)
  local field = covered_by(mark)
  if not field then return end
  local was = redis.call('HGET', keys.removed, field) or '0'
  redis.call('HSET', keys.removed, field, offset)
  redis.call('HSET', keys.removals, id, offset .. ' ' .. was .. ' ' .. field)
  redis.call('PERSIST', keys.removed)
  redis.call('PERSIST', keys.removals)
  prune(keys.removed, keys.removals, tonumber(string.match(first_kept(offset, archived), '^%d+')))
end

-- The messages that removal `id` took away and nothing else did: {mark, message, ...}, oldest first.
local function taken_by(keys, id)
  local noted = redis.call('HGET', keys.removals, id)
  if not noted then return {} end
  local at, was, field = string.match(noted, '^(%d+) (%d+) (.+)$')
  local gone, found = removals_of(keys.removed), {}
  if gone[field] == tonumber(at) then gone[field] = tonumber(was) end
  local only = {[field] = tonumber(at)}
  for _, row in ipairs(redis.call('XREVRANGE', keys.log, (at - 1) .. '-0', '-', 'COUNT', KEEP_ENTRIES)) do
    local mark, offset = mark_of(row), offset_of(row)
    local original = row[2][7] == 'o' and row[2][8] or row[2][2]
    if string.sub(mark, 1, 1) ~= '+' and is_removed(only, mark, offset) and not is_removed(gone, mark, offset) then
      table.insert(found, 1, {mark, original})
      if #found >= KEEP_RESTORED then break end
    end
  end
  return found
end

local function restore(keys, args, epoch, offset, archived, now)
  for _, one in ipairs(taken_by(keys, args.restores)) do
    offset = offset + 1
    local body = '{"kind":"restored","stream_id":"' .. args.stream .. '","id":"' .. args.id .. '","at":' .. now
      .. ',"message":' .. one[2] .. '}'
    add(keys, epoch, offset, archived, one[1], body, one[2])
  end
  return offset
end

-- The newest entry of each kind that leaves something standing: `<offset> <mark>\n<entry>` under `stands:<kind>`.
local function note_standing(keys, offset, mark, body)
  local kind = string.match(body, '^{"kind":"(%a+)"')
  if kind ~= 'pin' and kind ~= 'poll' and kind ~= 'raid' then return end
  local entry = '{"offset":' .. offset .. ',' .. string.sub(body, 2)
  redis.call('HSET', keys.rules, 'stands:' .. kind, offset .. ' ' .. mark .. '\n' .. entry)
end

local function standing(rules, removed)
  local gone, lines = removals_of(removed), {}
  for _, kind in ipairs({'pin', 'poll', 'raid'}) do
    local noted = redis.call('HGET', rules, 'stands:' .. kind)
    if noted then
      local offset, mark, entry = string.match(noted, '^(%d+) ([^\n]*)\n(.*)$')
      if not is_removed(gone, mark, tonumber(offset)) then
        lines[#lines + 1] = tonumber(offset)
        lines[#lines + 1] = mark
        lines[#lines + 1] = entry
      end
    end
  end
  return lines
end

local function put_settings(rules, settings)
  local said = cjson.decode(settings)
  local followers = said.followers_seconds
  redis.call('HSET', rules, 'settings', settings, 'auto_slow', 0, 'slow', said.slow_seconds or 0,
    'followers', (followers == nil or followers == cjson.null) and '' or followers,
    'subscribers', said.subscribers_only and 1 or 0, 'emotes', said.emote_only and 1 or 0,
    'unique', said.unique_chat and 1 or 0, 'read_only', said.read_only and 1 or 0)
end

local patches = {
  settings = function(keys, value) put_settings(keys.rules, value) end,
  private = function(keys, value) redis.call('HSET', keys.rules, 'private', value) end,
  role = function(keys, user, role)
    if role == 'viewer' then redis.call('HDEL', keys.roles, user) else redis.call('HSET', keys.roles, user, role) end
  end,
  sanction = function(keys, user, value) redis.call('HSET', keys.bans, user, value) end,
  lift = function(keys, user) redis.call('HDEL', keys.bans, user) end,
  caution = function(keys, user, value) redis.call('HSET', keys.cautions, user, value) end,
  acknowledge = function(keys, user) redis.call('HDEL', keys.cautions, user) end,
}

local function expire_rules(keys)
  for _, name in ipairs({keys.rules, keys.bans, keys.roles, keys.cautions}) do
    redis.call('EXPIRE', name, KEEP_SECONDS)
  end
end

-- What a line quotes may have been removed since it was decided to quote it: then nobody is given the quote.
local function quotes_removed(keys, mark)
  local said = string.match(mark, '^%+(.+)$')
  local row = said and said_under(keys.log, said)
  return row and is_removed(removals_of(keys.removed), said, offset_of(row))
end

-- Applies the change that follows the room's revision. keys: meta, log, rules, bans, roles, cautions, removed,
-- removals, channel. args: new epoch, the stream's id, revision, change's id, mark, entry ('' for none), id of the
-- change whose messages come back (''), the patch as JSON, and once more as {name, first, second, ...}.
-- Answers {'rules'} when the room does not know its rules, {'behind'|'known', its revision}, or {'ok', epoch, offset}.
local function room_control(keys, args)
  local own = {log = keys[2], rules = keys[3], bans = keys[4], roles = keys[5], cautions = keys[6], removed = keys[7],
    removals = keys[8], channel = keys[9]}
  local revision = tonumber(redis.call('HGET', own.rules, 'revision') or -1)
  if revision < 0 then return {'rules'} end
  if revision >= tonumber(args[3]) then return {'known', revision} end
  if revision < tonumber(args[3]) - 1 then return {'behind', revision} end
  local epoch, offset, archived = position(keys[1], own.log, args[1])
  local before = offset
  redis.call('HSET', own.rules, 'revision', args[3])
  for index = 9, #args, 3 do patches[args[index]](own, args[index + 1], args[index + 2]) end
  expire_rules(own)
  redis.call('SPUBLISH', own.channel, 'c ' .. args[3] .. ' ' .. args[8])
  if args[6] ~= '' then
    offset = offset + 1
    local mark, body = args[5], args[6]
    if quotes_removed(own, mark) then mark, body = '!', '{"kind":"removed","stream_id":"' .. args[2] .. '"}' end
    remove(own, args[4], mark, offset, archived)
    note_standing(own, offset, mark, body)
    add(own, epoch, offset, archived, mark, body)
  end
  if args[7] ~= '' then
    offset = restore(own, {restores = args[7], stream = args[2], id = args[4]}, epoch, offset, archived, now_ms())
  end
  if args[6] ~= '' or args[7] ~= '' then keep(keys[1], own.log, offset, before, archived) end
  return {'ok', epoch, offset}
end

local function put_all(name, pairs_json)
  redis.call('DEL', name)
  for field, value in pairs(cjson.decode(pairs_json)) do redis.call('HSET', name, field, value) end
end

-- Takes the whole of the rules unless newer ones are known. keys: rules, bans, roles, cautions, channel. args: revision,
-- settings, private, sanctions, roles, cautions (the last three as JSON objects of strings).
local function room_rules_put(keys, args)
  local own = {rules = keys[1], bans = keys[2], roles = keys[3], cautions = keys[4]}
  local known = tonumber(redis.call('HGET', own.rules, 'revision') or -1)
  if known >= tonumber(args[1]) then return known end
  redis.call('HSET', own.rules, 'revision', args[1], 'private', args[3])
  put_settings(own.rules, args[2])
  put_all(own.bans, args[4])
  put_all(own.roles, args[5])
  put_all(own.cautions, args[6])
  expire_rules(own)
  redis.call('SPUBLISH', keys[5], 'c ' .. args[1] .. ' ')
  return tonumber(args[1])
end

-- keys: rules, bans, roles, cautions, removed. Answers {} when they are not known, else {revision, settings, slow
-- mode's seconds of the room's own, private, {user, sanction, ...}, {user, role, ...}, {user, caution, ...},
-- {offset, mark, entry, ...} of what stands}.
local function room_rules(keys)
  local found = redis.call('HMGET', keys[1], 'revision', 'settings', 'auto_slow', 'private')
  if not found[1] then return {} end
  return {tonumber(found[1]), found[2], tonumber(found[3]), found[4], redis.call('HGETALL', keys[2]),
    redis.call('HGETALL', keys[3]), redis.call('HGETALL', keys[4]), standing(keys[1], keys[5])}
end

-- keys: rules.
local function room_revision(keys)
  return redis.call('HGET', keys[1], 'revision')
end

-- The room's own slow mode, by whichever node asks first. keys: meta, log, rules, channel. args: new epoch, seconds,
-- entry. Answers {'rules'}, {'ok'}, or {'so'} when it is so already.
local function room_auto_slow(keys, args)
  local own = {log = keys[2], channel = keys[4]}
  local found = redis.call('HMGET', keys[3], 'revision', 'auto_slow')
  if not found[1] then return {'rules'} end
  if tonumber(found[2]) == tonumber(args[2]) then return {'so'} end
  redis.call('HSET', keys[3], 'auto_slow', args[2])
  local epoch, offset, archived = position(keys[1], own.log, args[1])
  add(own, epoch, offset + 1, archived, '!', args[3])
  keep(keys[1], own.log, offset + 1, offset, archived)
  return {'ok'}
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
redis.register_function('room_find', room_find)
redis.register_function('room_control', room_control)
redis.register_function('room_rules', room_rules)
redis.register_function('room_revision', room_revision)
redis.register_function('room_rules_put', room_rules_put)
redis.register_function('room_auto_slow', room_auto_slow)
redis.register_function('user_pace', user_pace)
