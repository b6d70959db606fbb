-- leque_position: reads the top of a channel. It begins an epoch where there is none, so that a client
-- that waits for the first publication has a cursor that resumes exactly.
--
-- KEYS[1]  PREFIX{CHANNEL}
-- Reply    { epoch, top offset }; an empty list for a channel without history
-- Atomic   so that two nodes never give one channel two epochs

local EMPTY_TTL_MS = 86400000

local function position(keys)
  local key = keys[1]
  local _, _, kind = parse_key(key)
  if not config().limits[kind or ''] then return {} end
  await_channel(key)
  local meta = find_epoch(key) or start_epoch(key)
  -- The epoch of a channel without publications is not worth a week of memory.
  local ttl_ms = meta.offset > 0 and config().meta_ttl_ms or EMPTY_TTL_MS
  redis.call('PEXPIRE', key .. ':meta', ttl_ms)
  return { meta.epoch, meta.offset }
end

redis.register_function{
  function_name = 'leque_position',
  callback = position,
  flags = WHEN_FULL,
}
