#!lua name=footlight_limits

-- An exact sliding window: at most `limit` admitted requests in any `window` milliseconds, whichever process asks.
-- keys: the window's sorted set. args: limit, window in ms, an id that is unique to this request.
-- Answers {admitted 0|1, remaining, milliseconds until a place is free}.
local function limit_take(keys, args)
  local limit, window = tonumber(args[1]), tonumber(args[2])
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  redis.call('ZREMRANGEBYSCORE', keys[1], '-inf', now - window)
  local used = redis.call('ZCARD', keys[1])
  if used < limit then
    redis.call('ZADD', keys[1], now, args[3])
    redis.call('PEXPIRE', keys[1], window)
    used = used + 1
    if used == 1 then return {1, limit - 1, window} end
    local oldest = redis.call('ZRANGE', keys[1], 0, 0, 'WITHSCORES')
    return {1, limit - used, oldest[2] + window - now}
  end
  local oldest = redis.call('ZRANGE', keys[1], 0, 0, 'WITHSCORES')
  return {0, 0, oldest[2] + window - now}
end

redis.register_function('limit_take', limit_take)
