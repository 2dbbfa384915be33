#!lua name=footlight_views

-- Who watched a video how long, and the views that follow from it. All keys of a video carry the tag {video id}.
--
--   viewer   hash  one for each viewer: when they were last heard of (`at`), whether they played then, for how long
--                  they `watched`, when they were `counted`, when their place was last `saved`
--   address  zset  viewers without an account that were counted from one address -> when
--   pending  hash  `new`: views in no batch yet; `batch`, `size`: the batch that is being added to the document
--
-- Invariant: a viewer is counted in the same call that adds to `new`. A batch keeps its number and its size until it is
-- said to be done, and numbers grow (they are moments), also when all of this was lost: so a document that knows the
-- number of its last batch takes each one once.

local DAY_MS = 86400000
local VIEWER_MS = DAY_MS + 3600000
local PENDING_MS = 30 * DAY_MS

local function admitted(address, member, now, most)
  if most == 0 then return true end
  redis.call('ZREMRANGEBYSCORE', address, '-inf', now - DAY_MS)
  if redis.call('ZCARD', address) >= most and not redis.call('ZSCORE', address, member) then return false end
  redis.call('ZADD', address, now, member)
  redis.call('PEXPIRE', address, VIEWER_MS)
  return true
end

-- keys: viewer, address, pending. args: now, member, playing (0/1), longest step, needed, most from one address (0: any),
-- ms between two saves (0: nothing is saved). Answers {counted, save}.
local function beat(keys, args)
  local viewer, address, pending = keys[1], keys[2], keys[3]
  local now, member, playing = tonumber(args[1]), args[2], args[3]
  local known = redis.call('HMGET', viewer, 'at', 'playing', 'watched', 'counted', 'saved')
  local at, watched, counted, saved =
    tonumber(known[1] or nil), tonumber(known[3] or 0), tonumber(known[4] or nil), tonumber(known[5] or nil)
  now = math.max(now, at or now)  -- the clocks of two nodes differ; no moment is counted twice
  if counted and now - counted >= DAY_MS then counted, watched, at = nil, 0, nil end
  if at and known[2] == '1' then watched = watched + math.min(now - at, tonumber(args[4])) end
  if not counted and watched >= tonumber(args[5]) and admitted(address, member, now, tonumber(args[6])) then
    counted = now
    redis.call('HINCRBY', pending, 'new', 1)
    redis.call('PEXPIRE', pending, PENDING_MS)
  end
  local pause, save = tonumber(args[7]), 0
  if pause > 0 and (not saved or now - saved >= pause) then saved, save = now, 1 end
  redis.call('HSET', viewer, 'at', now, 'playing', playing, 'watched', watched,
    'counted', counted or '', 'saved', saved or '')
  redis.call('PEXPIRE', viewer, VIEWER_MS)
  return { counted and 1 or 0, save }
end

-- keys: pending. args: now. Answers {batch, size}: the one that is not done, or a new one of all that is in none;
-- size is 0 when there is nothing.
local function take(keys, args)
  local known = redis.call('HMGET', keys[1], 'new', 'batch', 'size')
  local new, batch, size = tonumber(known[1] or 0), tonumber(known[2] or 0), tonumber(known[3] or 0)
  if size == 0 and new > 0 then
    batch, size = math.max(batch + 1, tonumber(args[1])), new
    redis.call('HSET', keys[1], 'new', 0, 'batch', batch, 'size', size)
  end
  return { string.format('%.0f', batch), size }
end

-- keys: pending. args: batch. It is in the document.
local function done(keys, args)
  if redis.call('HGET', keys[1], 'batch') == args[1] then redis.call('HSET', keys[1], 'size', 0) end
  return 0
end

-- keys: the videos that are being watched. args: now, video.
local function mark(keys, args)
  redis.call('ZADD', keys[1], 'GT', args[1], args[2])
  return 0
end

-- keys: the same. args: video, before. Forget it unless it was marked since.
local function unmark(keys, args)
  local marked = redis.call('ZSCORE', keys[1], args[1])
  if marked and tonumber(marked) < tonumber(args[2]) then redis.call('ZREM', keys[1], args[1]) end
  return 0
end

redis.register_function('views_beat', beat)
redis.register_function('views_take', take)
redis.register_function('views_done', done)
redis.register_function('views_mark', mark)
redis.register_function('views_unmark', unmark)
