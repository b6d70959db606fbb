-- leque_lease: renews the lease of a node, and lists the live nodes. Redis's clock decides, because
-- the clocks of the nodes may differ.
--
-- KEYS[1]  PREFIX{nodes}, a sorted set of lease ids by the millisecond in which the leases end
-- ARGV     LEASE_ID TTL_MS; 0 or less gives the lease back; an empty id only asks
-- Reply    { 1 when the lease was alive before else 0, { live lease ids } }
-- Atomic   so that a node whose lease had lapsed learns that, and states its counts again

local FORGET_AFTER_MS = 60000
-- No lease is longer. One that ends later was taken before the clock was set back: it counts from now,
-- so that a node that is gone does not count until the clock has come there again.
local LONGEST_MS = 15000
local DEFAULT_MS = 8000

local function shorten(key, now, ttl_ms)
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, '(' .. text(now + LONGEST_MS), '+inf')) do
    redis.call('ZADD', key, 'XX', text(now + ttl_ms), id)
  end
end

local function lease(keys, args)
  local key, id, ttl_ms = keys[1], args[1], tonumber(args[2])
  local time = redis.call('TIME')
  local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  shorten(key, now, ttl_ms > 0 and ttl_ms or DEFAULT_MS)
  local ends = id ~= '' and redis.call('ZSCORE', key, id)
  local was_alive = ends and tonumber(ends) > now
  if id ~= '' and ttl_ms > 0 then
    redis.call('ZADD', key, text(now + ttl_ms), id)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', text(now - FORGET_AFTER_MS))
  elseif id ~= '' then
    redis.call('ZREM', key, id)
  end
  return { was_alive and 1 or 0, redis.call('ZRANGEBYSCORE', key, '(' .. text(now), '+inf') }
end

redis.register_function{
  function_name = 'leque_lease',
  callback = lease,
  flags = WHEN_FULL,
}
