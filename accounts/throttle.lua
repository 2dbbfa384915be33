#!lua name=footlight_throttle

-- Attempts since the first one of a window. keys: counter. args: most, window in ms.
-- Answers 0 when this attempt may be made, otherwise the milliseconds to wait.
local function attempt(keys, args)
  local made = tonumber(redis.call('GET', keys[1]) or '0')
  if made >= tonumber(args[1]) then return math.max(1, redis.call('PTTL', keys[1])) end
  if redis.call('INCR', keys[1]) == 1 then redis.call('PEXPIRE', keys[1], args[2]) end
  return 0
end

redis.register_function('throttle_attempt', attempt)
