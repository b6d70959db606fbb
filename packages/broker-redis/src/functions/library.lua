-- What all functions of the library share. The text above was put in when the library was rendered:
-- the version, and CONFIG_JSON with the limits and the rules for events. It cannot be decoded yet,
-- because Redis gives no JSON to a library that is being loaded.

local LIVE_ONLY = '- 0'

-- What clients need to join, resume and be counted goes on when Redis's memory is full; it takes
-- hardly any. Publishing does not.
local WHEN_FULL = { 'allow-oom' }

local decoded_config
local function config()
  decoded_config = decoded_config or cjson.decode(CONFIG_JSON)
  return decoded_config
end

local function text(number)
  return string.format('%d', number)
end

-- redis.call on a key, whose name is in the error: somebody else may have written to it.
local function call_on(key, command, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) == 'table' and reply.err then
    error(redis.error_reply(reply.err .. ': ' .. key))
  end
  return reply
end

-- 'project:P' in PREFIX{project:P}: the prefix, the channel, its kind; nil for other keys.
local function parse_key(key)
  local prefix, channel = string.match(key, '^(.-){([^{}]+)}$')
  if channel == 'all' or channel == 'logs' then return prefix, channel, channel end
  local kind, id = string.match(channel or '', '^(%l+):([%w%._:@+%-]+)$')
  if (kind == 'project' or kind == 'user') and #id <= 128 then return prefix, channel, kind end
  return nil
end

-- Which run of which server this is, and since when it has been the master: it changes with a restart
-- and with a failover, also back to one that was the master before, and may have lost since what it
-- had then. A user who may not ask is refused: nobody would see it.
local run, in_cluster
local function read_run()
  local info = redis.pcall('INFO', 'server', 'replication')
  if type(info) ~= 'string' then
    error(redis.error_reply('NOPERM leque: this user may not INFO server'))
  end
  local run_id = string.match(info, 'run_id:(%w+)') or 'unknown'
  run = run_id .. ' ' .. string.sub(string.match(info, 'master_replid:(%w+)') or '', 1, 12)
  in_cluster = string.find(info, 'redis_mode:cluster', 1, true) ~= nil
end

-- As a replica takes no calls, nobody can have become one and a master again since the last one.
local RUN_KEPT_MS = 100
local read_at = 0
local function boot()
  local time = redis.call('TIME')
  local now = time[1] * 1000 + time[2] / 1000
  if not run or math.abs(now - read_at) > RUN_KEPT_MS then
    read_run()
    read_at = now
  end
  return run
end

local function is_in_cluster()
  if not run then read_run() end
  return in_cluster
end

-- How a channel is sent to those who want it: in a Cluster by the servers that have its slot alone.
local function publish_command()
  return is_in_cluster() and 'SPUBLISH' or 'PUBLISH'
end

-- While a slot moves, its keys come to the new master one after the other, and what a function does
-- not find there may be on its way: beginning anew would lose it. Redis lets a function miss one key,
-- but refuses it several of which some have not come. An error that makes clients try again, or nil.
local function find_missing(keys)
  if not is_in_cluster() then return nil end
  local reply = redis.pcall('EXISTS', unpack(keys))
  if type(reply) == 'number' then return nil end
  if not string.find(reply.err, 'non local key', 1, true) then return reply.err end
  return 'TRYAGAIN leque: this is moving to another master: ' .. keys[1]
end

-- The same for what a channel is read from. Raises the error.
local function await_channel(key)
  local problem = find_missing({ key .. ':meta', key .. ':log' })
  if problem then error(redis.error_reply(problem)) end
end

local calls = 0
-- 40 hexadecimal digits that never come again: Redis reseeds its own random numbers.
local function unique()
  calls = calls + 1
  local time = redis.call('TIME')
  return redis.sha1hex(table.concat({ boot(), tostring({}), time[1], time[2], calls }, ' '))
end

local function base36(number)
  local digits = ''
  repeat
    local digit = number % 36
    digits = string.sub('0123456789abcdefghijklmnopqrstuvwxyz', digit + 1, digit + 1) .. digits
    number = math.floor(number / 36)
  until number == 0
  return digits
end

local function new_epoch()
  return base36(tonumber(redis.call('TIME')[1])) .. string.sub(unique(), 1, 10)
end

local function start_epoch(key)
  local epoch = new_epoch()
  redis.call('DEL', key .. ':meta', key .. ':log')
  redis.call('HSET', key .. ':meta', 'epoch', epoch, 'offset', 0, 'boot', boot())
  redis.call('PEXPIRE', key .. ':meta', config().meta_ttl_ms)
  return { epoch = epoch, offset = 0 }
end

-- A server that has restarted, or was promoted, may have lost the newest publications, and would
-- give their offsets to others, which nodes and clients would take for those they have. Hence a
-- new name for what follows. `former` are the names of before, newest first, each with the offset
-- up to which it is known to be the same, so that cursors of before still resume wherever nothing
-- was lost.
local FORMER_NAMES = 8
local function rename_epoch(key, meta)
  local epoch = new_epoch()
  local former = { meta.epoch .. ' ' .. text(meta.offset) }
  for name in string.gmatch(meta.former, '%S+ %d+') do
    if #former < FORMER_NAMES then table.insert(former, name) end
  end
  local names = table.concat(former, ' ')
  redis.call('HSET', key .. ':meta', 'epoch', epoch, 'boot', boot(), 'former', names)
  return { epoch = epoch, offset = meta.offset, former = names }
end

-- As cursors have them, see protocol's position.ts.
local function is_position(epoch, offset)
  return epoch and offset and #epoch <= 32 and #offset <= 15
    and string.find(epoch, '^[a-z0-9]+$') and string.find(offset, '^%d+$')
end

-- The channel's epoch and top offset; nil when it has none yet, or none that a cursor can say.
local function find_epoch(key)
  local found = call_on(key .. ':meta', 'HMGET', 'epoch', 'offset', 'boot', 'former')
  local epoch, offset = found[1], found[2]
  if not is_position(epoch, offset) then return nil end
  offset = tonumber(offset)
  local meta = { epoch = epoch, offset = offset, former = found[4] or '' }
  if found[3] == boot() then return meta end
  return rename_epoch(key, meta)
end
