#!lua name=footlight_presence

-- Who watches a room, exact over nodes and tabs, at the price of what changed. All keys carry the tag {stream id}.
--
--   viewers  hash  viewer (8 bytes) -> how many nodes hold it; its length is the count
--   lives    hash  life of a node in this room -> `<until, ms> <number of its last report>`
--   held     set   the viewers of one life (the name of the key ends with the life)
--   people   hash  viewer -> its line in `roll`, for those who signed in
--   roll     zset  the lines, all with score 0, so they sort by their bytes
--   shown    hash  count and peak as last told, and when
--
-- Invariant: `viewers` is what all `held` sets of `lives` add up to; every call keeps it. A life that was not renewed
-- is never revived: whoever reports next takes its viewers away, at most CLEAN of them in one call.

local KEEP_MS = 60000           -- longer than any lease; one moment for all keys, so they go together or not at all
local SHOWN_SECONDS = 86400     -- the peak, like the rest of a room
local CLEAN = 150             -- viewers of dead nodes in one call: about a millisecond (6 us each)

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function add(viewers, people, roll, held, viewer, line)
  if redis.call('SADD', held, viewer) == 1 then redis.call('HINCRBY', viewers, viewer, 1) end
  if line == '' then return end
  local before = redis.call('HGET', people, viewer)
  if before == line then return end
  if before then redis.call('ZREM', roll, before) end
  redis.call('HSET', people, viewer, line)
  redis.call('ZADD', roll, 0, line)
end

local function drop(viewers, people, roll, viewer)
  if redis.call('HINCRBY', viewers, viewer, -1) > 0 then return end
  redis.call('HDEL', viewers, viewer)
  local line = redis.call('HGET', people, viewer)
  if line then
    redis.call('ZREM', roll, line)
    redis.call('HDEL', people, viewer)
  end
end

-- Takes the viewers of lives that ended. Answers how long until somebody should look again (0: at once, there is more;
-- nil: no need): at the end of a lease that should have been renewed by now.
local function clean(keys, now, late_ms)
  local viewers, lives, held, people, roll = keys[1], keys[2], keys[3], keys[4], keys[5]
  local prefix = string.match(held, '^.*:')
  local again, left = nil, CLEAN
  local all = redis.call('HGETALL', lives)
  for index = 1, #all, 2 do
    local theirs, ends = prefix .. all[index], tonumber(string.match(all[index + 1], '^%d+'))
    redis.call('PEXPIRE', theirs, KEEP_MS)
    if ends <= now then
      local gone = left > 0 and redis.call('SPOP', theirs, left) or {}
      for _, viewer in ipairs(gone) do drop(viewers, people, roll, viewer) end
      left = left - #gone
      if left > 0 then redis.call('HDEL', lives, all[index]) else again = 0 end
    elseif ends - now < late_ms then
      again = math.min(again or late_ms, ends - now)
    end
  end
  for _, name in ipairs({viewers, lives, people, roll}) do redis.call('PEXPIRE', name, KEEP_MS) end
  return again
end

-- Tells the room its count at most once a second and only when count or peak changed.
-- Answers {count, peak, milliseconds until it may be told, or nil}.
local function show(shown, channel, count, now)
  local last = redis.call('HMGET', shown, 'count', 'at', 'peak', 'told')
  local peak = math.max(count, tonumber(last[3] or 0))
  local words = count .. ' ' .. peak
  if words == last[4] then return count, peak, nil end
  if peak > tonumber(last[3] or 0) then redis.call('HSET', shown, 'peak', peak) end
  redis.call('EXPIRE', shown, SHOWN_SECONDS)
  local wait = 1000 - (now - tonumber(last[2] or 0))
  if wait > 0 then return count, peak, wait end
  redis.call('HSET', shown, 'count', count, 'at', now, 'told', words)
  redis.call('SPUBLISH', channel, 'v ' .. words)
  return count, peak, nil
end

-- One report of one life: it lives on, and what changed. A repeated report changes nothing more.
-- keys: viewers, lives, held, people, roll, shown, channel. args: life, number of the report (from 1), milliseconds the
-- lease holds, milliseconds to its end under which it is late, number of those who came, (viewer, line or '')...,
-- those who left... . Answers {1, count, peak, milliseconds after which to report again or -1}, or {0} when this life
-- is not known any more, or not as far as the reporter thinks: it begins a new one and reports everybody.
local function presence_report(keys, args)
  local viewers, lives, held, people, roll, shown, channel = unpack(keys)
  local life, number, came = args[1], tonumber(args[2]), tonumber(args[5])
  local now = now_ms()
  local known = redis.call('HGET', lives, life)
  if known then
    local ends, last = string.match(known, '^(%d+) (%d+)$')
    if tonumber(ends) <= now or (tonumber(last) ~= number - 1 and tonumber(last) ~= number) then return {0} end
  elseif number > 1 then
    return {0}
  end
  for index = 6, 4 + 2 * came, 2 do add(viewers, people, roll, held, args[index], args[index + 1]) end
  for index = 6 + 2 * came, #args do
    if redis.call('SREM', held, args[index]) == 1 then drop(viewers, people, roll, args[index]) end
  end
  redis.call('HSET', lives, life, string.format('%.0f %d', now + args[3], number))
  local again = clean(keys, now, tonumber(args[4]))
  local count, peak, wait = show(shown, channel, redis.call('HLEN', viewers), now)
  if wait then again = math.min(again or wait, wait) end
  return {1, count, peak, again or -1}
end

-- keys: viewers, lives, shown. Answers {how many there are at this moment, peak}; nobody, when no node lives.
local function presence_count(keys, args)
  local now = now_ms()
  local peak = tonumber(redis.call('HGET', keys[3], 'peak') or 0)
  for _, life in ipairs(redis.call('HVALS', keys[2])) do
    if tonumber(string.match(life, '^%d+')) > now then
      local count = redis.call('HLEN', keys[1])
      return {count, math.max(count, peak)}
    end
  end
  return {0, peak}
end

-- keys: roll, viewers. args: the line to go on after ('' for the beginning), how many.
-- Answers {signed in, all viewers, {line...}}.
local function presence_people(keys, args)
  local from = args[1] == '' and '-' or '(' .. args[1]
  local lines = redis.call('ZRANGE', keys[1], from, '+', 'BYLEX', 'LIMIT', 0, args[2])
  return {redis.call('ZCARD', keys[1]), redis.call('HLEN', keys[2]), lines}
end

redis.register_function('presence_report', presence_report)
redis.register_function('presence_count', presence_count)
redis.register_function('presence_people', presence_people)
