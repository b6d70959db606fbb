-- leque_append: stores an event that was checked already, and sends it to every node.
--
-- KEYS[1]  PREFIX{CHANNEL}
-- ARGV     TYPE MESSAGE_ID EVENT_JSON [IDEMPOTENCY_KEY]
-- Reply    { message id, epoch, offset, 1 when the idempotency key was known else 0 };
--          the epoch is empty where no history is kept
-- Atomic   so that offsets have no holes, nodes get them in order, and a repeated key finds either
--          everything or nothing

local function recall(remembered)
  local earlier = redis.call('GET', remembered)
  if not earlier then return nil end
  local epoch, offset, message_id = string.match(earlier, '^(%S*) (%d+) (.*)$')
  return { message_id, epoch, tonumber(offset), 1 }
end

local function add_to_log(key, limit, event, offset)
  return redis.pcall('XADD', key .. ':log', 'MAXLEN', '=', limit.size, text(offset) .. '-0',
    event.type, event.json)
end

local function keep(key, limit, event)
  local meta = find_epoch(key) or start_epoch(key)
  local offset = meta.offset + 1
  if type(add_to_log(key, limit, event, offset)) == 'table' then
    -- The log is ahead of its meta, which was lost or put back on its own: neither can be trusted.
    meta = start_epoch(key)
    offset = 1
    local added = add_to_log(key, limit, event, offset)
    if type(added) == 'table' then return nil, added end
  end
  redis.call('HSET', key .. ':meta', 'offset', text(offset))
  redis.call('PEXPIRE', key .. ':log', limit.ttl_ms)
  redis.call('PEXPIRE', key .. ':meta', config().meta_ttl_ms)
  return { epoch = meta.epoch, offset = offset }
end

local function store(key, event, idempotency_key)
  local prefix, channel, kind = parse_key(key)
  if not channel then return redis.error_reply('ERR leque: not a channel key: ' .. key) end
  local remembered = idempotency_key and key .. ':idem:' .. idempotency_key
  local earlier = remembered and recall(remembered)
  if earlier then return earlier end

  local limit = config().limits[kind]
  local position = { epoch = '', offset = 0 }
  if limit then
    local failure
    position, failure = keep(key, limit, event)
    if failure then return failure end
  end
  local place = limit and position.epoch .. ' ' .. text(position.offset) or LIVE_ONLY
  local payload = table.concat({ '1', place, event.type, channel }, ' ') .. '\n' .. event.json
  redis.call('PUBLISH', key, payload)
  if kind == 'project' and config().firehose then
    redis.call('PUBLISH', prefix .. 'firehose', payload)
  end
  if remembered then
    local result = table.concat({ position.epoch, text(position.offset), event.message_id }, ' ')
    redis.call('SET', remembered, result, 'PX', config().idempotency_ttl_ms)
  end
  return { event.message_id, position.epoch, position.offset, 0 }
end

redis.register_function('leque_append', function(keys, args)
  return store(keys[1], { type = args[1], message_id = args[2], json = args[3] }, args[4])
end)
