-- The log of a channel while a function adds to it. Its meta is read before the first addition and
-- written once after the last; nobody sees a state in between, because a function is atomic.

-- Returns how much of a channel is kept: { size, ttl_ms }; nil for a channel without history.
local function limit_of(channel, kind)
  local exact = config().channel_limits[channel]
  if exact then return exact end
  for _, limit in ipairs(config().prefix_limits) do
    if string.sub(channel, 1, #limit.prefix) == limit.prefix then return limit end
  end
  return config().limits[kind]
end

-- Returns what adding to the channel of `key` takes; nil when `key` names no channel.
local function open_log(key)
  local prefix, channel, kind, id = parse_key(key)
  if not channel then return nil end
  return {
    key = key,
    channel = channel,
    kind = kind,
    id = id,
    stream = key .. ':log',
    -- The part of a payload's header that follows the type.
    addressed = ' ' .. channel,
    control = prefix .. 'control',
    firehose = kind == 'project' and config().firehose and prefix .. 'firehose' or nil,
    -- Nil for a channel without history.
    limit = limit_of(channel, kind),
    epoch = '',
    offset = 0,
    added = 0,
  }
end

local function refused(command, target, ...)
  if redis.acl_check_cmd(command, target, ...) then return nil end
  return 'NOPERM leque: this user may not ' .. command .. ' ' .. target
end

-- Returns an error when the user of this call lacks a right that publishing takes, or nil. It is asked
-- before, because an event that is stored but not sent, or not remembered, is worse than a refusal.
local function find_refusal(log)
  local meta = log.key .. ':meta'
  return refused(publish_command(), log.key, '')
    or log.firehose and refused('PUBLISH', log.firehose, '')
    or refused('SET', log.key .. ':idem:', '')
    or log.limit and (refused('XTRIM', log.stream, 'MAXLEN', '0')
      or refused('PEXPIRE', log.stream, '1')
      or refused('HSET', meta, '', ''))
end

-- Returns an error for a user who may not PUBLISH to the control channel; or nil. Only the users of Leque's
-- processes may, and these have checked their events.
local function find_stranger(log)
  if redis.acl_check_cmd('PUBLISH', log.control, '') then return nil end
  return 'NOPERM leque: only processes of Leque may call leque_append; services call leque_publish'
end

local function begin(log, meta)
  log.epoch, log.offset, log.started = meta.epoch, meta.offset, true
end

-- An entry has the event under its type, and when it was stored, in microseconds.
local function try_to_add(log, event)
  local id = text(log.offset + 1) .. '-0'
  local added = redis.pcall('XADD', log.stream, id, event.type, event.json, 'at', text(called_at))
  return type(added) == 'table' and added or nil
end

-- Adds the event and returns its offset. Raises the error of Redis when that fails.
local function add_to_log(log, event)
  if not log.started then begin(log, find_epoch(log.key) or start_epoch(log.key)) end
  local failure = try_to_add(log, event)
  if failure and log.added == 0 then
    -- The log is ahead of its meta, which was lost or restored without it: neither can be trusted.
    begin(log, start_epoch(log.key))
    failure = try_to_add(log, event)
  end
  if failure then error(failure) end
  log.offset = log.offset + 1
  log.added = log.added + 1
  return log.offset
end

local function close_log(log)
  if log.added == 0 then return end
  local meta = log.key .. ':meta'
  redis.call('XTRIM', log.stream, 'MAXLEN', '=', log.limit.size)
  redis.call('HSET', meta, 'offset', text(log.offset))
  redis.call('PEXPIRE', log.stream, log.limit.ttl_ms)
  redis.call('PEXPIRE', meta, config().meta_ttl_ms)
end
