#!lua name=footlight_sessions

-- Sign-ins of one user. All keys of a user carry the same hash tag, so they live in one slot.
--   index    sorted set: session id -> when the sign-in began (ms)
--   session  hash: generation, rotated (ms), ends (ms), name, role, tier, color (empty for none), channels (JSON)
-- A session whose generation is 0 is over: its refresh token was used twice. It is kept until the reuse was told.

local function session_key(index, id)
  return index .. ':' .. id
end

-- Forget sign-ins that are past their end or over the allowed number; returns the ids of the latter.
local function trim(index, now, life, most)
  redis.call('ZREMRANGEBYSCORE', index, '-inf', now - life)
  local dropped = {}
  local extra = redis.call('ZCARD', index) - most
  if extra > 0 then
    dropped = redis.call('ZRANGE', index, 0, extra - 1)
    for _, id in ipairs(dropped) do
      redis.call('DEL', session_key(index, id))
      redis.call('ZREM', index, id)
    end
  end
  return dropped
end

-- keys: index. args: id, now, life (ms), most sign-ins, name, role, tier, color, channels. Answers the ids that had to go.
local function open(keys, args)
  local index, id, now, life = keys[1], args[1], tonumber(args[2]), tonumber(args[3])
  local key = session_key(index, id)
  redis.call('HSET', key, 'generation', 1, 'rotated', now, 'ends', now + life,
    'name', args[5], 'role', args[6], 'tier', args[7], 'color', args[8], 'channels', args[9])
  redis.call('PEXPIRE', key, life)
  redis.call('ZADD', index, now, id)
  redis.call('PEXPIRE', index, life)
  return trim(index, now, life, tonumber(args[4]))
end

-- keys: index. args: id, presented generation, now, grace (ms), name, role, tier, color, channels.
-- Answers {'ok', generation to hand out, ends} or {'over'} or {'reused'}.
local function rotate(keys, args)
  local key = session_key(keys[1], args[1])
  local presented, now, grace = tonumber(args[2]), tonumber(args[3]), tonumber(args[4])
  local record = redis.call('HMGET', key, 'generation', 'rotated', 'ends')
  if not record[1] or tonumber(record[3]) <= now then return {'over'} end
  local current, rotated = tonumber(record[1]), tonumber(record[2])
  if presented == current then
    current = current + 1
    redis.call('HSET', key, 'generation', current, 'rotated', now)
  elseif presented ~= current - 1 or now - rotated > grace then
    redis.call('HSET', key, 'generation', 0)
    return {'reused'}
  end
  redis.call('HSET', key, 'name', args[5], 'role', args[6], 'tier', args[7], 'color', args[8], 'channels', args[9])
  return {'ok', current, tonumber(record[3])}
end

-- keys: index. args: ids to end, or none for all of them. Answers the ids that were there.
local function close(keys, args)
  local ids = args
  if #ids == 0 then ids = redis.call('ZRANGE', keys[1], 0, -1) end
  local ended = {}
  for _, id in ipairs(ids) do
    if redis.call('DEL', session_key(keys[1], id)) == 1 then ended[#ended + 1] = id end
    redis.call('ZREM', keys[1], id)
  end
  return ended
end

-- keys: index. args: name, role, tier, color, channels. Every open sign-in of the user takes them over.
local function profile(keys, args)
  for _, id in ipairs(redis.call('ZRANGE', keys[1], 0, -1)) do
    local key = session_key(keys[1], id)
    if redis.call('EXISTS', key) == 1 then
      redis.call('HSET', key, 'name', args[1], 'role', args[2], 'tier', args[3], 'color', args[4],
        'channels', args[5])
    end
  end
  return redis.status_reply('OK')
end

redis.register_function('session_open', open)
redis.register_function('session_rotate', rotate)
redis.register_function('session_close', close)
redis.register_function('session_profile', profile)
