-- leque_append: stores events of one channel that were checked already, and sends them to every
-- node. The fixed cost of a call (the epoch, the lifetimes, the trimming) is paid once for all. Only users
-- who may also PUBLISH to PREFIXcontrol may call it, because it does not check the events.
--
-- KEYS[1]  PREFIX{CHANNEL}
-- ARGV     for each event TYPE MESSAGE_ID EVENT_JSON IDEMPOTENCY_KEY, in their order; an empty
--          idempotency key means none. An empty message id, which is kept for idempotency keys only,
--          means an event that is live only: it is sent and not stored
-- Reply    { epoch, result, … } with one result for each event: its offset in that epoch when it was
--          stored now; { message id, epoch, offset } of the first time when its idempotency key was
--          known; an error when it was not stored. The offset is 0 for an event that is live only, and
--          in a channel without history. The epoch is empty when nothing was stored
-- Atomic   so that offsets have no holes, nodes get them in order, and a repeated key finds either
--          everything or nothing

local VALUES = 4

-- Returns the result stored under `name`: { message id, epoch, offset }, or nil.
local function recall(name)
  local earlier = call_on(name, 'GET')
  if not earlier then return nil end
  local epoch, offset, message_id = string.match(earlier, '^(%S*) (%d+) (.+)$')
  if not message_id then error(redis.error_reply('ERR leque: not a remembered result: ' .. name)) end
  return { message_id, epoch, tonumber(offset) }
end

local function idempotency_name(log, event)
  return event.idempotency_key and log.key .. ':idem:' .. event.idempotency_key
end

local function find_missing_of(log, events)
  if not is_in_cluster() then return nil end -- saves making the names
  local names = { log.key .. ':meta', log.key .. ':log' }
  for _, event in ipairs(events) do names[#names + 1] = idempotency_name(log, event) end
  return (log.limit or #names > 2) and find_missing(names)
end

-- Returns where the channel stands, in the form in which it ends the header of an event that is live only;
-- an empty text where that is unknown. Nodes receive the channel and read its history on two connections:
-- without it they could not tell on which side of a stored event a live one belongs.
local function live_place(log)
  if log.started then return ' ' .. log.epoch .. '.' .. text(log.offset) end
  if log.limit and not log.place then
    local found = read_from(log.key .. ':meta', 'HMGET', 'epoch', 'offset') or {}
    log.place = is_position(found[1], found[2]) and ' ' .. found[1] .. '.' .. found[2] or ''
  end
  return log.place or ''
end

local function send(log, header, event)
  local payload = '1 ' .. header .. '\n' .. event.json
  redis.call(publish_command(), log.key, payload)
  if log.firehose then redis.call('PUBLISH', log.firehose, payload) end
end

local function store(log, event)
  local remembered = idempotency_name(log, event)
  local earlier = remembered and recall(remembered)
  if earlier then return earlier end
  local addressed = ' ' .. event.type .. log.addressed
  if event.live then
    send(log, LIVE_ONLY .. addressed .. live_place(log), event)
    return 0
  end
  local offset, place = 0, LIVE_ONLY
  if log.limit then
    offset = add_to_log(log, event)
    place = log.epoch .. ' ' .. text(offset)
  end
  send(log, place .. addressed, event)
  if remembered then
    local result = log.epoch .. ' ' .. text(offset) .. ' ' .. event.message_id
    redis.call('SET', remembered, result, 'PX', config().idempotency_ttl_ms)
  end
  return offset
end

-- Stores events for a user who has the rights to. Returns { epoch, result, … }; an event that fails must
-- not hide the results of the others.
local function store_allowed(log, events)
  local missing = find_missing_of(log, events)
  if missing then return redis.error_reply(missing) end
  local reply = { '' }
  for _, event in ipairs(events) do
    local ok, result = pcall(store, log, event)
    if not ok and type(result) ~= 'table' then result = redis.error_reply('ERR leque: ' .. result) end
    reply[#reply + 1] = result
  end
  close_log(log)
  reply[1] = log.epoch
  return reply
end

local function store_all(log, events)
  local refusal = find_refusal(log)
  return refusal and redis.error_reply(refusal) or store_allowed(log, events)
end

redis.register_function('leque_append', function(keys, args)
  local log = open_log(keys[1])
  if not log then return redis.error_reply('ERR leque: not a channel key: ' .. keys[1]) end
  local problem = find_stranger(log)
  if problem then return redis.error_reply(problem) end
  local events = {}
  for at = 1, #args, VALUES do
    local message_id, key = args[at + 1], args[at + 3]
    events[#events + 1] = {
      type = args[at],
      message_id = message_id,
      live = message_id == '',
      json = args[at + 2],
      idempotency_key = key ~= '' and key or nil,
    }
  end
  return store_all(log, events)
end)

-- leque_append_each: stores one event, which was checked already, in many channels, in each as leque_append
-- does. Its text comes once. The outcome of one channel does not affect the others.
--
-- KEYS[1]  PREFIX{CHANNEL} of the first channel. The others are arguments, because in a Redis Cluster they
--          are in other slots of the same server
-- ARGV     TYPE MESSAGE_ID IDEMPOTENCY_KEY NUMBER PART … CHANNEL …, with that NUMBER of PARTs, between
--          which the JSON of the channel's id stands; an empty idempotency key means none, and an
--          empty message id an event that is live only
-- Reply    for each channel { epoch, offset } when the event was stored now, or sent live; { message id, epoch, offset }
--          of the first time when its idempotency key was known; an error when it was not stored, which
--          begins with TRYAGAIN when the channel is moving to another server
-- Atomic   so that each channel's offsets have no holes, see leque_append

local FIXED_ARGUMENTS = 4

-- Has the JSON of `JSON.stringify`, because ids have no characters but these that it escapes.
local function id_json(id)
  return '"' .. string.gsub(id, '[\\"]', '\\%0') .. '"'
end

local function append_in(key, event)
  local log = open_log(key)
  if not log or log.id == '' then
    return redis.error_reply('ERR leque: not the key of a user or project: ' .. key)
  end
  local json = table.concat(event.parts, id_json(log.id))
  local stored = {
    type = event.type,
    message_id = event.message_id,
    live = event.message_id == '',
    json = json,
    idempotency_key = event.idempotency_key,
  }
  local reply = store_allowed(log, { stored })
  if reply.err then return reply end
  local epoch, result = reply[1], reply[2]
  return type(result) == 'number' and { epoch, result } or result
end

local function append_each(keys, args)
  local prefix = parse_key(keys[1])
  local first = prefix and open_log(keys[1])
  if not first then return redis.error_reply('ERR leque: not a channel key: ' .. keys[1]) end
  -- The rights of a process are for all of its prefix, so those to one channel are those to each.
  local problem = find_stranger(first) or find_refusal(first)
  if problem then return redis.error_reply(problem) end
  local idempotency_key, count = args[3], tonumber(args[4])
  local event = {
    type = args[1],
    message_id = args[2],
    idempotency_key = idempotency_key ~= '' and idempotency_key or nil,
    parts = {},
  }
  for index = 1, count do event.parts[index] = args[FIXED_ARGUMENTS + index] end
  local replies = {}
  for at = FIXED_ARGUMENTS + count + 1, #args do
    local ok, reply = pcall(append_in, prefix .. '{' .. args[at] .. '}', event)
    if not ok and type(reply) ~= 'table' then reply = redis.error_reply('ERR leque: ' .. reply) end
    replies[#replies + 1] = reply
  end
  return replies
end

redis.register_function{
  function_name = 'leque_append_each',
  callback = append_each,
  flags = { 'allow-cross-slot-keys' },
}
