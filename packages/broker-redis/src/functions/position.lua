-- leque_position: reads the top of a channel. It begins an epoch where there is none, so that a client
-- that waits for the first publication has a cursor that resumes exactly.
--
-- KEYS[1]  PREFIX{CHANNEL}
-- ARGV     [EPOCH OFFSET] up to which a node has received the channel. When there is less of that
--          epoch, the data has gone back, and another epoch begins
-- Reply    { epoch, top offset }; an empty list for a channel without history
-- Atomic   so that two nodes never give one channel two epochs

local EMPTY_TTL_MS = 86400000

local function position(keys, args)
  local key = keys[1]
  local _, _, kind = parse_key(key)
  if not config().limits[kind or ''] then return {} end
  await_channel(key)
  local meta = find_epoch(key) or start_epoch(key)
  if args[1] == meta.epoch and tonumber(args[2]) > meta.offset then
    meta = abandon_epoch(key, meta)
  end
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
