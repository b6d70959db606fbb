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

-- The forms of a character that is not ASCII (RFC 3629, section 4). Other bytes above 127 are overlong,
-- halves of surrogate pairs, beyond U+10FFFF, cut off, or of another encoding.
local UTF8_FORMS = {
  '[\194-\223][\128-\191]',
  '\224[\160-\191][\128-\191]',
  '[\225-\236\238\239][\128-\191][\128-\191]',
  '\237[\128-\159][\128-\191]',
  '\240[\144-\191][\128-\191][\128-\191]',
  '[\241-\243][\128-\191][\128-\191][\128-\191]',
  '\244[\128-\143][\128-\191][\128-\191]',
}

-- Nodes send the bytes on in text frames: one that is not UTF-8 would close every client's connection.
local function is_utf8(bytes)
  if not string.find(bytes, '[\128-\255]') then return true end
  local rest = bytes
  for _, form in ipairs(UTF8_FORMS) do rest = string.gsub(rest, form, ' ') end
  return not string.find(rest, '[\128-\255]')
end

-- Control characters and line separators: ASCII, U+0080 to U+009F, U+2028 and U+2029.
local FORBIDDEN_IN_IDS = { '[%z\1-\31\127]', '\194[\128-\159]', '\226\128[\168\169]' }
local MAX_ID_BYTES = 256

-- Has the verdicts of `isId` in id.ts of the protocol package.
local function is_id_text(value)
  if value == '' or value == '*' or #value > MAX_ID_BYTES or not is_utf8(value) then return false end
  for _, form in ipairs(FORBIDDEN_IN_IDS) do
    if string.find(value, form) then return false end
  end
  return true
end

-- Encodes an id as `encodeId` in id.ts of the protocol package does.
local function encode_id(id)
  return (string.gsub(id, '[^%w%._:@+~%-]', function(char)
    return string.format('%%%02X', string.byte(char))
  end))
end

-- Returns the id of an encoding that encode_id makes; nil for any other text.
local function decode_id(encoded)
  if string.find(encoded, '^[%w%._:@+~%-]+$') then return #encoded <= MAX_ID_BYTES and encoded or nil end
  local id = string.gsub(encoded, '%%(%x%x)', function(hex) return string.char(tonumber(hex, 16)) end)
  return is_id_text(id) and encode_id(id) == encoded and id or nil
end

-- Returns the prefix, the channel, its kind and its id, as of PREFIX{project:P}; nil for other keys. Channels
-- without an id have an empty one.
local function parse_key(key)
  local prefix, channel = string.match(key, '^(.-){([^{}]+)}$')
  if channel == 'all' or channel == 'logs' then return prefix, channel, channel, '' end
  local kind, encoded = string.match(channel or '', '^(%l+):(.+)$')
  local id = (kind == 'project' or kind == 'user') and decode_id(encoded)
  if id then return prefix, channel, kind, id end
  return nil
end

-- Returns the words that tell the author of a wrong key how the channel is written, when its id is not
-- encoded.
local function encoding_hint(key)
  local kind, id = string.match(key, '{(%l+):(.+)}$')
  if (kind ~= 'project' and kind ~= 'user') or not is_id_text(id) then return '' end
  return ', with the id percent-encoded: {' .. kind .. ':' .. encode_id(id) .. '}'
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
-- The time at which the present call began, in microseconds. `boot` sets it.
local called_at = 0
local function boot()
  local time = redis.call('TIME')
  called_at = time[1] * 1000000 + time[2]
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
