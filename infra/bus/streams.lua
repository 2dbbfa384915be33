#!lua name=footlight_bus
-- What must happen in one step on the shard that owns the keys. Every function may be repeated: the client sends a
-- command again after a lost connection, so each one changes something only when XACK, SET NX or ZREM says "first time".

local function now_ms()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- "ms-n" stream ids, compared as numbers.
local function before(a, b)
  local a1, a2 = string.match(a, '^(%d+)%-(%d+)$')
  local b1, b2 = string.match(b, '^(%d+)%-(%d+)$')
  if a1 ~= b1 then return tonumber(a1) < tonumber(b1) end
  return tonumber(a2) < tonumber(b2)
end

local function field(flat, name)
  for i = 1, #flat, 2 do
    if flat[i] == name then return flat[i + 1] end
  end
end

-- The oldest id that somebody may still need: unread or unacknowledged by a group, or younger than keep_ms.
local function needed_from(log, keep_ms)
  local oldest = string.format('%.0f-0', math.max(0, now_ms() - keep_ms))
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', log)) do
    local id = field(group, 'last-delivered-id')
    local pending = redis.call('XPENDING', log, field(group, 'name'))
    if pending[1] > 0 and before(pending[2], id) then id = pending[2] end
    if before(id, oldest) then oldest = id end
  end
  return oldest
end

-- keys: log, seen   args: payload, dedupe seconds, cap, keep ms   -> unread entries cut off because of the cap
redis.register_function('bus_publish', function(keys, args)
  if not redis.call('SET', keys[2], '1', 'NX', 'EX', args[2]) then return 0 end
  redis.call('XADD', keys[1], '*', 'm', args[1])
  local length = redis.call('XLEN', keys[1])
  local cap = tonumber(args[3])
  if length % 64 ~= 0 and length <= cap then return 0 end
  redis.call('XTRIM', keys[1], 'MINID', needed_from(keys[1], tonumber(args[4])))
  if redis.call('XLEN', keys[1]) <= cap then return 0 end
  return redis.call('XTRIM', keys[1], 'MAXLEN', cap)
end)

-- keys: inbox, later, seen   args: payload, dedupe seconds, delay ms, cap   -> 1, or 0 when the queue is full
redis.register_function('bus_enqueue', function(keys, args)
  if redis.call('EXISTS', keys[3]) == 1 then return 1 end
  if redis.call('XLEN', keys[1]) + redis.call('ZCARD', keys[2]) >= tonumber(args[4]) then return 0 end
  redis.call('SET', keys[3], '1', 'EX', args[2])
  if tonumber(args[3]) > 0 then
    redis.call('ZADD', keys[2], now_ms() + tonumber(args[3]), args[1])
  else
    redis.call('XADD', keys[1], '*', 'm', args[1])
  end
  return 1
end)

-- keys: later, inbox   args: most to move   -> ms until the next one is due, -1 when there is none
redis.register_function('bus_promote', function(keys, args)
  local now = now_ms()
  for _, payload in ipairs(redis.call('ZRANGE', keys[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, args[1])) do
    redis.call('ZREM', keys[1], payload)
    redis.call('XADD', keys[2], '*', 'm', payload)
  end
  local next = redis.call('ZRANGE', keys[1], 0, 0, 'WITHSCORES')
  if #next == 0 then return -1 end
  return math.max(0, tonumber(next[2]) - now)
end)

-- An inbox has one group, so what is acknowledged there is garbage; the log belongs to all groups and is only trimmed.
local function acknowledge(stream, inbox, group, id)
  local first = redis.call('XACK', stream, group, id) == 1
  if stream == inbox then redis.call('XDEL', stream, id) end
  return first
end

-- keys: stream, inbox   args: group, id
redis.register_function('bus_settle', function(keys, args)
  acknowledge(keys[1], keys[2], args[1], args[2])
  return 1
end)

-- keys: stream, inbox, later   args: group, id, payload, delay ms
redis.register_function('bus_again', function(keys, args)
  if acknowledge(keys[1], keys[2], args[1], args[2]) then
    redis.call('ZADD', keys[3], now_ms() + tonumber(args[4]), args[3])
  end
  return 1
end)

-- keys: stream, inbox, dead   args: group, id, payload, reason, most kept
redis.register_function('bus_bury', function(keys, args)
  if acknowledge(keys[1], keys[2], args[1], args[2]) then
    redis.call('XADD', keys[3], 'MAXLEN', args[5], '*', 'm', args[3], 'reason', args[4])
  end
  return 1
end)

-- keys: streams   args: group, consumer, lease ms, count   -> {stream number, id, payload, deliveries} of each
-- What was delivered to somebody (a crashed process, or us over a connection that broke) and not renewed since.
redis.register_function('bus_claim', function(keys, args)
  local claimed, most = {}, tonumber(args[4])
  for number, stream in ipairs(keys) do
    local cursor = '0-0'
    repeat
      if #claimed >= most then return claimed end
      local reply = redis.call('XAUTOCLAIM', stream, args[1], args[2], args[3], cursor, 'COUNT', most - #claimed)
      cursor = reply[1]
      for _, entry in ipairs(reply[2]) do
        local id = entry[1]
        local pending = redis.call('XPENDING', stream, args[1], id, id, 1)
        table.insert(claimed, { number, id, field(entry[2], 'm'), pending[1][4] })
      end
    until cursor == '0-0'
  end
  return claimed
end)

-- keys: stream   args: group, consumer, id...   Keep what is in hand, unless another process took it meanwhile.
redis.register_function('bus_renew', function(keys, args)
  for i = 3, #args do
    local pending = redis.call('XPENDING', keys[1], args[1], args[i], args[i], 1)
    if #pending == 1 and pending[1][2] == args[2] then
      redis.call('XCLAIM', keys[1], args[1], args[2], 0, args[i], 'JUSTID')
    end
  end
  return 1
end)

-- keys: streams   args: group, consumer, idle ms   Forget this consumer and those long gone, if nothing is theirs.
redis.register_function('bus_leave', function(keys, args)
  for _, stream in ipairs(keys) do
    for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', stream, args[1])) do
      local name = field(consumer, 'name')
      local gone = name == args[2] or field(consumer, 'idle') > tonumber(args[3])
      if gone and field(consumer, 'pending') == 0 then redis.call('XGROUP', 'DELCONSUMER', stream, args[1], name) end
    end
  end
  return 1
end)
