-- leque_history: what follows a position in a channel, or the newest publications.
--
-- KEYS[1]  PREFIX{CHANNEL}
-- ARGV     MODE EPOCH OFFSET LIMIT MAX_BYTES, where MODE is
--            all     everything after the position, or nothing when LIMIT or MAX_BYTES is too little
--            page    as much of it as fits, from its beginning
--            newest  as many of the newest as fit; without EPOCH and OFFSET
-- Reply    { epoch, top offset, 1 when nothing is missing after the position else 0, entries,
--          oldest first }; an entry is { "OFFSET-0", { TYPE, EVENT_JSON } }; the epoch is empty
--          where there is none
-- Atomic   so that the top and the entries belong together, whatever is published meanwhile

-- Redis serves nobody else meanwhile, so no more is read than is answered.
local CHUNK = 64

-- Entries in the order of `command`, at most `limit`, and beyond the first at most `max_bytes`.
local function collect(command, range, limit, max_bytes)
  local entries, bytes = {}, 0
  local first, last = range[1], range[2]
  while #entries < limit do
    local count = math.min(CHUNK, limit - #entries)
    local chunk = redis.call(command, range.log, first, last, 'COUNT', count)
    for _, entry in ipairs(chunk) do
      bytes = bytes + #entry[2][2]
      if bytes > max_bytes and #entries > 0 then return entries end
      table.insert(entries, entry)
    end
    if #chunk < count then return entries end
    first = '(' .. chunk[#chunk][1]
  end
  return entries
end

local function newest(log, limit, max_bytes)
  local entries = collect('XREVRANGE', { '+', '-', log = log }, limit, max_bytes)
  local ordered = {}
  for index = #entries, 1, -1 do table.insert(ordered, entries[index]) end
  return ordered
end

-- Also under a name of before a restart, see rename_epoch.
local function is_of(meta, epoch, offset)
  if epoch == meta.epoch then return true end
  for name, top in string.gmatch(meta.former, '(%S+) (%d+)') do
    if name == epoch then return offset <= tonumber(top) end
  end
  return false
end

local function follow(entries, offset)
  return entries[1] ~= nil and entries[1][1] == text(offset + 1) .. '-0'
end

redis.register_function('leque_history', function(keys, args)
  local key, mode, epoch = keys[1], args[1], args[2]
  local offset, limit, max_bytes = tonumber(args[3]), tonumber(args[4]), tonumber(args[5])
  local _, _, kind = parse_key(key)
  local meta = config().limits[kind or ''] and find_epoch(key)
  if not meta then return { '', 0, mode == 'newest' and 1 or 0, {} } end
  local log = key .. ':log'
  if mode == 'newest' then return { meta.epoch, meta.offset, 1, newest(log, limit, max_bytes) } end

  local missed = meta.offset - offset
  local nothing = { meta.epoch, meta.offset, 0, {} }
  if not is_of(meta, epoch, offset) or missed < 0 then return nothing end
  if mode == 'all' and missed > limit then return nothing end
  if missed == 0 then return { meta.epoch, meta.offset, 1, {} } end
  local range = { text(offset + 1) .. '-0', '+', log = log }
  local entries = collect('XRANGE', range, limit, max_bytes)
  if not follow(entries, offset) then return nothing end
  if mode == 'all' and #entries < missed then return nothing end
  return { meta.epoch, meta.offset, 1, entries }
end)
