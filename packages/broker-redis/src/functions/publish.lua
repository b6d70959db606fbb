-- leque_publish: lets any service with a Redis client publish. It checks an event, then stores and
-- sends it as leque_append does. Nothing of a refused event is stored.
--
-- KEYS[1]  PREFIX{CHANNEL}, where CHANNEL is all, logs, project:ID or user:ID, with the id percent-encoded
-- ARGV     EVENT_JSON [IDEMPOTENCY_KEY]
-- Reply    { message id, epoch, offset, 1 when the idempotency key was known else 0 }, and the warnings
--          in one text when data does not fit the schema of its type; the epoch is empty, and the
--          offset 0, for a channel without history and for an event that is live only. Or an error that
--          names the field, such as "ERR leque: data.story_id is required"
-- Atomic   for the reasons of leque_append

redis.register_function('leque_publish', function(keys, args)
  local key, json, idempotency_key = keys[1], args[1], args[2]
  local function refuse(problem) return redis.error_reply('ERR leque: ' .. problem) end
  if #keys ~= 1 or json == nil or #args > 2 then
    return refuse('call with one key and EVENT_JSON [IDEMPOTENCY_KEY]')
  end
  local log = open_log(key)
  if not log then
    return refuse('the key must be PREFIX{CHANNEL}, and the channel all, logs, project:ID or user:ID'
      .. encoding_hint(key))
  end
  local event, problem = parse_event(json, log)
  if not event then return refuse(problem) end
  if idempotency_key == '' or #(idempotency_key or '') > 256 then
    return refuse('the idempotency key must be 1 to 256 bytes')
  end
  if idempotency_key and event.live then return refuse(LIVE_WITH_KEY) end
  local completed, excess = complete(event)
  if not completed then return refuse(excess) end
  completed.idempotency_key = idempotency_key or event.idempotency_key
  local reply = store_all(log, { completed })
  if reply.err then return reply end
  local epoch, result = unpack(reply)
  if type(result) == 'number' then
    return { completed.message_id, epoch, result, 0, event.warnings }
  end
  if not result.err then result[4], result[5] = 1, event.warnings end
  return result
end)
