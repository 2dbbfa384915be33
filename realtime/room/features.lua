#!lua name=footlight_features

-- What a room has beside its log: the queue of held messages, a poll, reactions, a raid. All keys carry the tag
-- {stream id}, so they live in one slot with the room's bans and its channel. What it publishes is in room.lua's list:
-- `d <event> <json>` for the desk, `u <user id> <event> <json>` for one person, `p <votes>`, `r <counts>` for all.
--
-- A decision (a held message let through, a poll closed, a raid gone) is made here once, and its effects elsewhere (the
-- log, the moderation log) follow. `recorded` and the states `approve` and `deny` say how far they came, so any node can
-- finish what another began. Every function bears being called twice with the same arguments.

local KEEP_SECONDS = 86400    -- nothing outlives the room's own keys, but for votes: a day after the poll's end
local DONE_MS = 600000        -- the same message is not held again for 10 minutes, as long as the log knows its id
local RETRY_MS = 5000         -- a decision that was not finished by then is given to another node
local HELD_OF_ONE = 10        -- so many messages of one author wait at most
local REACT_MS = 1000
local SHOWN_AGAIN_MS = 4000   -- nodes look at their polls every 5 s (room/rounds.py)

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function whole(number) return string.format('%.0f', number) end

-- Milliseconds somebody is still banned or timed out, 0 for good; nil when not.
local function banned_for(bans, user, now)
  local value = redis.call('HGET', bans, user)
  if not value then return end
  local ends = tonumber(string.match(value, '^%d+'))
  if ends == 0 then return 0 end
  if ends > now then return ends - now end
end

-- Why somebody may not take part; nothing when they may. A room that lost its rules must be told them first.
local function refusal(rules, bans, user, now)
  if redis.call('EXISTS', rules) == 0 then return {'rules'} end
  local wait = banned_for(bans, user, now)
  if wait then return {'banned', wait} end
end

-- --- held messages

-- held: id -> JSON of {owner, user, message_id, message, body, expires, state, ...}; order: ids by time; done: ids that
-- were decided; authors: user -> how many of theirs wait.
local function held_keys(keys)
  return {held = keys[1], order = keys[2], done = keys[3], authors = keys[4], bans = keys[5], rules = keys[6],
    channel = keys[7]}
end

local function held_item(own, id)
  local value = redis.call('HGET', own.held, id)
  return value and cjson.decode(value)
end

local function put_item(own, id, item)
  redis.call('HSET', own.held, id, cjson.encode(item))
  for _, name in ipairs({own.held, own.order, own.authors}) do redis.call('EXPIRE', name, KEEP_SECONDS) end
end

local function is_claimed(item, now)
  return item.claimed_until and tonumber(item.claimed_until) > now
end

-- The message as moderators see it.
local function shown(item, now)
  local by, till = 'null', 'null'
  if is_claimed(item, now) then by, till = item.claimed_by, item.claimed_until end
  return string.sub(item.body, 1, -2) .. ',"claimed_by":' .. by .. ',"claimed_until":' .. till .. '}'
end

local function tell_desk(own, stream, change, item, now)
  redis.call('SPUBLISH', own.channel, 'd mod:held {"stream_id":"' .. stream .. '","change":"' .. change .. '","held":'
    .. shown(item, now) .. '}')
end

local function tell_author(own, stream, status, item, reason)
  redis.call('SPUBLISH', own.channel, 'u ' .. item.user .. ' chat:held {"stream_id":"' .. stream .. '","id":"'
    .. item.message_id .. '","status":"' .. status .. '","reason":' .. cjson.encode(reason) .. '}')
end

-- The message leaves the queue, and everybody concerned is told once.
local function settle(own, stream, id, item, outcome, reason, now)
  redis.call('HDEL', own.held, id)
  redis.call('ZREM', own.order, id)
  if redis.call('HINCRBY', own.authors, item.user, -1) <= 0 then redis.call('HDEL', own.authors, item.user) end
  redis.call('ZREMRANGEBYSCORE', own.done, '-inf', now - DONE_MS)
  redis.call('ZADD', own.done, now, id)
  redis.call('PEXPIRE', own.done, DONE_MS)
  tell_desk(own, stream, outcome, item, now)
  tell_author(own, stream, outcome, item, reason)
end

-- The oldest that nobody decided makes room for a new one.
local function make_room(own, stream, max, now)
  if redis.call('ZCARD', own.order) < max then return true end
  for _, id in ipairs(redis.call('ZRANGE', own.order, 0, -1)) do
    local item = held_item(own, id)
    if item and item.state == 'waiting' then
      settle(own, stream, id, item, 'expired', '', now)
      return true
    end
  end
  return false
end

-- Later than all others, also within one millisecond.
local function place(own, now)
  local newest = redis.call('ZREVRANGE', own.order, 0, 0, 'WITHSCORES')
  return math.max(now, (newest[2] or 0) + 1)
end

-- args: stream, id, channel's id, author, message's id, message, body (a HeldMessage without `at` and `expires_at`),
-- milliseconds it is held, most in a room. Answers {'ok'}, also when it is held or decided already, {'full'}, {'many'},
-- {'rules'} or {'banned', ms}.
local function held_add(keys, args)
  local own, now, id, user = held_keys(keys), now_ms(), args[2], args[4]
  if redis.call('HEXISTS', own.held, id) == 1 or redis.call('ZSCORE', own.done, id) then return {'ok'} end
  local refused = refusal(own.rules, own.bans, user, now)
  if refused then return refused end
  if tonumber(redis.call('HGET', own.authors, user) or 0) >= HELD_OF_ONE then return {'many'} end
  if not make_room(own, args[1], tonumber(args[9]), now) then return {'full'} end
  local expires = now + args[8]
  local body = string.sub(args[7], 1, -2) .. ',"at":' .. whole(now) .. ',"expires_at":' .. whole(expires) .. '}'
  local item = {owner = args[3], user = user, message_id = args[5], message = args[6], body = body,
    expires = whole(expires), state = 'waiting'}
  redis.call('ZADD', own.order, whole(place(own, now)), id)
  redis.call('HINCRBY', own.authors, user, 1)
  put_item(own, id, item)
  tell_desk(own, args[1], 'added', item, now)
  tell_author(own, args[1], 'held', item, '')
  return {'ok'}
end

-- A decision that was begun, as whoever finishes it needs it.
local function begun(kind, id, item)
  return {kind, id, item.owner, item.message, item.state, item.decided_by, item.reason, tonumber(item.decided_at)}
end

-- Why this moderator may not decide about a message now.
local function held_refusal(id, item, moderator, now)
  if not item then return {'gone'} end
  if item.state ~= 'waiting' then return begun('begun', id, item) end
  if tonumber(item.expires) <= now then return {'gone'} end
  if is_claimed(item, now) and item.claimed_id ~= moderator then
    return {'claimed', item.claimed_by, item.claimed_until - now}
  end
end

-- args: stream, id, moderator's id, moderator as JSON, milliseconds of the lease (0 gives it back).
-- Answers {'ok', message}, {'gone'}, {'claimed', by, ms} or what was begun.
local function held_claim(keys, args)
  local own, now = held_keys(keys), now_ms()
  local item = held_item(own, args[2])
  local refused = held_refusal(args[2], item, args[3], now)
  if refused then return refused end
  local was_claimed, lease = is_claimed(item, now), tonumber(args[5])
  item.claimed_id, item.claimed_by, item.claimed_until = args[3], args[4], whole(now + lease)
  if lease == 0 then item.claimed_until = nil end
  put_item(own, args[2], item)
  if lease > 0 or was_claimed then
    tell_desk(own, args[1], lease > 0 and 'claimed' or 'released', item, now)
  end
  return {'ok', shown(item, now)}
end

-- args: stream, id, moderator's id, moderator as JSON, verdict (`approve`, `deny`), reason. The first decision stands.
-- Answers {'ok', ...} with what was begun, also to the same moderator again, {'begun', ...} to others, or a refusal.
local function held_decide(keys, args)
  local own, now, id = held_keys(keys), now_ms(), args[2]
  local item = held_item(own, id)
  if item and item.state == args[5] and item.decided_id == args[3] then return begun('ok', id, item) end
  local refused = held_refusal(id, item, args[3], now)
  if refused then return refused end
  if banned_for(own.bans, item.user, now) then
    settle(own, args[1], id, item, 'denied', '', now)
    return {'gone'}
  end
  item.state, item.decided_id, item.decided_by, item.reason = args[5], args[3], args[4], args[6]
  item.decided_at, item.tried_at = whole(now), whole(now)
  put_item(own, id, item)
  return begun('ok', id, item)
end

-- The effects of a decision are there. args: stream, id, outcome. Answers whether this call was the first.
local function held_settle(keys, args)
  local own = held_keys(keys)
  local item = held_item(own, args[2])
  if not item then return 0 end
  settle(own, args[1], args[2], item, args[3], item.reason or '', now_ms())
  return 1
end

-- Ends those whose time is over, and those of authors who are banned now. args: stream. Answers the decisions that
-- somebody began and did not finish; they are the caller's for a while.
local function held_sweep(keys, args)
  local own, now, open = held_keys(keys), now_ms(), {}
  for _, id in ipairs(redis.call('ZRANGE', own.order, 0, -1)) do
    local item = held_item(own, id)
    if not item then
      redis.call('ZREM', own.order, id)
    elseif item.state ~= 'waiting' then
      if item.tried_at + RETRY_MS <= now then
        item.tried_at = whole(now)
        put_item(own, id, item)
        open[#open + 1] = begun('begun', id, item)
      end
    elseif tonumber(item.expires) <= now then
      settle(own, args[1], id, item, 'expired', '', now)
    elseif banned_for(own.bans, item.user, now) then
      settle(own, args[1], id, item, 'denied', '', now)
    end
  end
  return open
end

-- Those that wait, oldest first.
local function held_list(keys)
  local own, now, found = held_keys(keys), now_ms(), {}
  for _, id in ipairs(redis.call('ZRANGE', own.order, 0, -1)) do
    local item = held_item(own, id)
    if item and item.state == 'waiting' and tonumber(item.expires) > now then found[#found + 1] = shown(item, now) end
  end
  return found
end

-- --- what begins, ends, and is recorded each time: a poll, a raid

local function hash_of(name)
  local flat, found = redis.call('HGETALL', name), {}
  for index = 1, #flat, 2 do found[flat[index]] = flat[index + 1] end
  return found
end

-- Whether its last state is in the moderation log.
local function is_recorded(thing) return thing.recorded == thing.state end

-- keys: poll or raid. args: id, state. What comes later is not undone by a late word about the past.
local function feature_recorded(keys, args)
  local thing = hash_of(keys[1])
  if thing.id ~= args[1] or is_recorded(thing) then return 0 end
  redis.call('HSET', keys[1], 'recorded', args[2])
  return 1
end

-- --- polls

-- Votes are kept beside the poll, under its id: choice -> count, and user -> token of their vote.
local function votes_key(name, poll) return name .. '-votes:' .. poll.id end
local function voters_key(name, poll) return name .. '-voters:' .. poll.id end

local function votes_of(name, poll)
  if poll.votes then return poll.votes end
  local counts = {}
  for choice = 1, tonumber(poll.choices) do
    counts[choice] = redis.call('HGET', votes_key(name, poll), choice - 1) or '0'
  end
  return '[' .. table.concat(counts, ',') .. ']'
end

-- The tally as it stands now is the last.
local function freeze(name, poll, state, by, now)
  poll.votes, poll.state, poll.ended_by, poll.ended_at = votes_of(name, poll), state, by, whole(now)
  redis.call('HSET', name, 'votes', poll.votes, 'state', state, 'ended_by', by, 'ended_at', poll.ended_at)
end

-- keys: poll. args: id, channel's id, text as JSON, choices, milliseconds, opener as JSON.
-- Answers 'ok', 'open' while one is open, or 'unfinished' when the one before is not recorded yet.
local function poll_open(keys, args)
  local now, before = now_ms(), hash_of(keys[1])
  if before.id == args[1] then return 'ok' end
  if before.state == 'open' and tonumber(before.closes_at) > now then return 'open' end
  if before.id and (before.state == 'open' or not is_recorded(before)) then return 'unfinished' end
  redis.call('DEL', keys[1])
  redis.call('HSET', keys[1], 'id', args[1], 'owner', args[2], 'text', args[3], 'choices', args[4],
    'closes_at', whole(now + args[5]), 'began_by', args[6], 'began_at', whole(now), 'state', 'open', 'recorded', '')
  redis.call('EXPIRE', keys[1], KEEP_SECONDS + math.ceil(args[5] / 1000))
  return 'ok'
end

-- keys: poll. args: id, `closed` or `cancelled`, moderator as JSON. Answers 'ok', to the same one again too, or
-- 'closed'.
local function poll_close(keys, args)
  local poll = hash_of(keys[1])
  if poll.id ~= args[1] then return 'closed' end
  if poll.state == 'open' then
    freeze(keys[1], poll, args[2], args[3], now_ms())
    return 'ok'
  end
  return poll.state == args[2] and poll.ended_by == args[3] and 'ok' or 'closed'
end

-- Tells the room the votes if they may be told again. Answers milliseconds to wait, 0 when they were told.
local function show_votes(name, poll, channel, stream, every, now)
  local wait = (poll.shown_at or 0) + every - now
  if wait > 0 then return wait end
  redis.call('HSET', name, 'shown_at', whole(now), 'dirty', 0)
  redis.call('SPUBLISH', channel, 'p {"stream_id":"' .. stream .. '","poll_id":"' .. poll.id .. '","votes":'
    .. votes_of(name, poll) .. '}')
  return 0
end

-- keys: poll, bans, rules, channel. args: stream, id, user, choice, token of this vote, milliseconds
-- between two tellings. Answers {'ok', ms to wait until the votes may be told}, or why not.
local function poll_vote(keys, args)
  local now, poll = now_ms(), hash_of(keys[1])
  local refused = refusal(keys[3], keys[2], args[3], now)
  if refused then return refused end
  if poll.id ~= args[2] or poll.state ~= 'open' or tonumber(poll.closes_at) <= now then return {'closed'} end
  if tonumber(args[4]) >= tonumber(poll.choices) then return {'choice'} end
  local votes, voters = votes_key(keys[1], poll), voters_key(keys[1], poll)
  local before = redis.call('HGET', voters, args[3])
  if before and before ~= args[5] then return {'voted'} end
  if not before then
    redis.call('HSET', voters, args[3], args[5])
    redis.call('HINCRBY', votes, args[4], 1)
    local keep = whole(KEEP_SECONDS * 1000 + poll.closes_at - now)
    redis.call('PEXPIRE', voters, keep)
    redis.call('PEXPIRE', votes, keep)
    redis.call('HSET', keys[1], 'dirty', 1)
  end
  return {'ok', show_votes(keys[1], poll, keys[4], args[1], tonumber(args[6]), now)}
end

-- Closes a poll whose time is over and tells votes that were not told, or not for a while: a node that was opened since
-- then does not know them. keys: poll, channel. args: stream,
-- milliseconds between two tellings. Answers {} without a poll, or {poll as {field, value, ...}, votes, ms until
-- somebody should look again or -1}.
local function poll_look(keys, args)
  local now, poll = now_ms(), hash_of(keys[1])
  if not poll.id then return {} end
  local again = -1
  if poll.state == 'open' and tonumber(poll.closes_at) <= now then
    freeze(keys[1], poll, 'closed', poll.began_by, now)
  end
  if poll.state == 'open' then
    again = poll.closes_at - now
    local told = poll.dirty ~= '1' and (not poll.shown_at or poll.shown_at + SHOWN_AGAIN_MS > now)
    local wait = not told and show_votes(keys[1], poll, keys[2], args[1], tonumber(args[2]), now) or 0
    if wait > 0 then again = math.min(again, wait) end
  end
  return {redis.call('HGETALL', keys[1]), votes_of(keys[1], poll), again}
end

-- --- raids

-- keys: raid. args: id, channel's id, where to and from as JSON, milliseconds, moderator as JSON.
-- Answers 'ok', 'open' while one is preparing, or 'unfinished'.
local function raid_start(keys, args)
  local now, before = now_ms(), hash_of(keys[1])
  if before.id == args[1] then return 'ok' end
  if before.state == 'preparing' then return 'open' end
  if before.id and not is_recorded(before) then return 'unfinished' end
  redis.call('DEL', keys[1])
  redis.call('HSET', keys[1], 'id', args[1], 'owner', args[2], 'text', args[3], 'departs_at', whole(now + args[4]),
    'began_by', args[5], 'began_at', whole(now), 'state', 'preparing', 'recorded', '')
  redis.call('EXPIRE', keys[1], KEEP_SECONDS)
  return 'ok'
end

-- keys: raid. args: id ('' for whichever), `gone` or `cancelled`, by whom as JSON, viewers, spread in milliseconds.
-- The first end stands. Answers 'ok', to the same one again too, or 'none'.
local function raid_end(keys, args)
  local now, raid = now_ms(), hash_of(keys[1])
  if not raid.id or (args[1] ~= '' and raid.id ~= args[1]) then return 'none' end
  if raid.state ~= 'preparing' then
    return raid.state == args[2] and raid.ended_by == args[3] and not is_recorded(raid) and 'ok' or 'none'
  end
  redis.call('HSET', keys[1], 'state', args[2], 'ended_by', args[3], 'ended_at', whole(now), 'viewers', args[4],
    'spread_ms', args[5])
  return 'ok'
end

-- keys: raid. Answers {} without one, or {raid as {field, value, ...}, milliseconds to its departure, 0 once it is due}.
local function raid_look(keys)
  local raid = hash_of(keys[1])
  if not raid.id then return {} end
  return {redis.call('HGETALL', keys[1]), math.max(0, raid.departs_at - now_ms())}
end

-- --- reactions

local function show_reactions(counts, channel, stream, every, now)
  local found, sums = hash_of(counts), {}
  local wait = (found.at or 0) + every - now
  found.at = nil
  for kind, count in pairs(found) do sums[#sums + 1] = '"' .. kind .. '":' .. count end
  if #sums == 0 then return -1 end
  if wait > 0 then return wait end
  table.sort(sums)
  redis.call('DEL', counts)
  redis.call('HSET', counts, 'at', whole(now))
  redis.call('PEXPIRE', counts, every + 1000)
  redis.call('SPUBLISH', channel, 'r {"stream_id":"' .. stream .. '","counts":{' .. table.concat(sums, ',') .. '}}')
  return -1
end

-- keys: counts, the user's window, bans, rules, channel. args: stream, user, kind, token, milliseconds between two
-- tellings, most in a second. Answers {'ok', ms until the counts may be told or -1}, {'fast', ms}, or why not.
local function react(keys, args)
  local counts, window, now, every = keys[1], keys[2], now_ms(), tonumber(args[5])
  local refused = refusal(keys[4], keys[3], args[2], now)
  if refused then return refused end
  redis.call('ZREMRANGEBYSCORE', window, '-inf', now - REACT_MS)
  if not redis.call('ZSCORE', window, args[4]) then
    if redis.call('ZCARD', window) >= tonumber(args[6]) then
      local first = redis.call('ZRANGE', window, 0, 0, 'WITHSCORES')
      return {'fast', math.max(1, first[2] + REACT_MS - now)}
    end
    redis.call('ZADD', window, now, args[4])
    redis.call('PEXPIRE', window, REACT_MS)
    redis.call('HINCRBY', counts, args[3], 1)
    redis.call('PEXPIRE', counts, every + 60000)
  end
  return {'ok', show_reactions(counts, keys[5], args[1], every, now)}
end

-- keys: counts, channel. args: stream, milliseconds between two tellings. Answers ms until they may be told, or -1.
local function reactions_show(keys, args)
  return show_reactions(keys[1], keys[2], args[1], tonumber(args[2]), now_ms())
end

redis.register_function('held_add', held_add)
redis.register_function('held_claim', held_claim)
redis.register_function('held_decide', held_decide)
redis.register_function('held_settle', held_settle)
redis.register_function('held_sweep', held_sweep)
redis.register_function('held_list', held_list)
redis.register_function('feature_recorded', feature_recorded)
redis.register_function('poll_open', poll_open)
redis.register_function('poll_close', poll_close)
redis.register_function('poll_vote', poll_vote)
redis.register_function('poll_look', poll_look)
redis.register_function('raid_start', raid_start)
redis.register_function('raid_end', raid_end)
redis.register_function('raid_look', raid_look)
redis.register_function('react', react)
redis.register_function('reactions_show', reactions_show)
