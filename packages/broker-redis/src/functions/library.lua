-- Helpers that all functions of the library share. Rendering the library puts the text above in front:
-- the version, and CONFIG_JSON with the limits and the rules for events. It is decoded by the first
-- call, because Redis has no JSON decoder for a library that is being loaded.

local LIVE_ONLY = '- 0'

-- Flags of functions that clients need to join, resume and be counted: they take hardly any memory,
-- and go on when Redis's memory is full. Publishing does not.
local WHEN_FULL = { 'allow-oom' }

local decoded_config
local function config()
  decoded_config = decoded_config or cjson.decode(CONFIG_JSON)
  return decoded_config
end

local function text(number)
  return string.format('%d', number)
end

-- Like redis.call, with the key in the error: another program may have written to the key.
local function call_on(key, command, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) == 'table' and reply.err then
    error(redis.error_reply(reply.err .. ': ' .. key))
  end
  return reply
end

-- Reads from a key of a channel. A key of another type was written by another program: it returns nil, so
-- that the history counts as lost, and all other channels of the session go on.
local function read_from(key, command, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) ~= 'table' or not reply.err then return reply end
  if string.find(reply.err, '^WRONGTYPE') then return nil end
  error(redis.error_reply(reply.err .. ': ' .. key))
end

-- Returns the prefix, the channel and its kind, as of PREFIX{project:P}; nil for other keys.
local function parse_key(key)
  local prefix, channel = string.match(key, '^(.-){([^{}]+)}$')
  if channel == 'all' or channel == 'logs' then return prefix, channel, channel end
  local kind, id = string.match(channel or '', '^(%l+):([%w%._:@+%-]+)$')
  if (kind == 'project' or kind == 'user') and #id <= 128 then return prefix, channel, kind end
  return nil
end

-- Reads which run of which server this is, and since when it has been the master. That changes with a
-- restart and with a failover, also when a former master is promoted again, which may have lost data
-- meanwhile. A user who may not read it is refused, because losses would go unnoticed.
local run, origins, in_cluster, evicts
local function read_run()
  local info = redis.pcall('INFO', 'server', 'replication', 'cluster', 'memory')
  if type(info) ~= 'string' then
    error(redis.error_reply('NOPERM leque: this user may not INFO server'))
  end
  local run_id = string.match(info, 'run_id:(%w+)') or 'unknown'
  local origin = string.match(info, 'master_replid:(%w+)') or run_id
  run = run_id .. ' ' .. string.sub(origin, 1, 12)
  -- The second one names the master from which this server took over with its data.
  origins = { origin, string.match(info, 'master_replid2:(%w+)') or origin }
  in_cluster = string.find(info, 'cluster_enabled:1', 1, true) ~= nil
  evicts = not string.find(info, 'maxmemory:0\r', 1, true)
    and not string.find(info, 'maxmemory_policy:noeviction', 1, true)
end

-- The run is read again after this time; a replica takes no calls meanwhile.
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

-- In a Redis Cluster only the servers of a channel's slot carry its messages.
local function publish_command()
  return is_in_cluster() and 'SPUBLISH' or 'PUBLISH'
end

-- While a slot moves, its keys arrive at the new master one after the other, and a key that a function
-- does not find may still arrive: beginning a new history would lose it. Redis lets a function miss
-- one key, but refuses a command on several of which some have not arrived. Returns an error that
-- makes clients try again, or nil.
local function find_missing(keys)
  if not is_in_cluster() then return nil end
  local reply = redis.pcall('EXISTS', unpack(keys))
  if type(reply) == 'number' then return nil end
  if not string.find(reply.err, 'non local key', 1, true) then return reply.err end
  return 'TRYAGAIN leque: this is moving to another master: ' .. keys[1]
end

-- Raises that error for the keys from which a channel is read.
local function await_channel(key)
  local problem = find_missing({ key .. ':meta', key .. ':log' })
  if problem then error(redis.error_reply(problem)) end
end

local calls = 0
-- Returns 40 hexadecimal digits that never repeat; math.random would, because Redis reseeds it.
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
