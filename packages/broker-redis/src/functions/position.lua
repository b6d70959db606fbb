-- leque_position: reads the top of a channel. It makes no key, because readers choose the names of
-- channels. A channel that nobody has published to has a position all the same: a client that waits for
-- the first publication resumes from it exactly.
--
-- KEYS[1]  PREFIX{CHANNEL}
-- ARGV     [EPOCH OFFSET] up to which a node has received the channel. When there is less of that
--          epoch, the data has gone back, and another epoch begins
-- Reply    { epoch, top offset }; an empty list for a channel that keeps no history
-- Atomic   so that two nodes never give one channel two epochs

local function position(keys, args)
  local key = keys[1]
  local _, _, kind = parse_key(key)
  if not config().limits[kind or ''] then return {} end
  await_channel(key)
  local meta = find_epoch(key) or blank_position(find_blanks(key))
  if args[1] == meta.epoch and tonumber(args[2]) > meta.offset then
    meta = abandon_epoch(key, meta)
  end
  -- A channel that is read keeps its epoch.
  if meta.offset > 0 then redis.call('PEXPIRE', key .. ':meta', config().meta_ttl_ms) end
  return { meta.epoch, meta.offset }
end

redis.register_function{
  function_name = 'leque_position',
  callback = position,
  flags = WHEN_FULL,
}
