-- leque_history: reads what follows a position in a channel, or the newest publications.
--
-- KEYS[1]  PREFIX{CHANNEL}
-- ARGV     MODE EPOCH OFFSET LIMIT MAX_BYTES, where MODE is
--            all     everything after the position, or nothing when LIMIT or MAX_BYTES is too small
--            page    as much of that as fits, from its beginning, at least one entry
--            rest    as page, for a node that has received the channel until a moment ago
--            newest  as many of the newest as fit, at least one; EPOCH and OFFSET are ignored
-- Reply    { epoch, top offset, outcome, entries }, the oldest entry first. The outcome is 1 when
--          nothing is missing after the position, else 0, or -1 when nothing is missing and it is too
--          large. An entry is { "OFFSET-0", { TYPE, EVENT_JSON, "at", MICROSECONDS } }; the time is that
--          of storing, and older entries have none. The epoch is empty for a channel that keeps no
--          history
-- Atomic   so that the top and the entries belong together, whatever is published meanwhile

-- Redis serves no other client meanwhile, so hardly more is read than is answered: few entries at
-- first, then as many as should fit if they are as long as the first.
local FIRST_CHUNK = 4
local CHUNK = 64

local function next_count(read, bytes, max_bytes)
  if read == 0 then return FIRST_CHUNK end
  return math.min(CHUNK, math.floor((max_bytes - bytes) / (bytes / read)) + 1)
end

-- Returns up to `limit` entries in the order of `command`, and beyond `at_least` up to `max_bytes`.
local function collect(command, range, limit, max_bytes)
  local entries, bytes = {}, 0
  local first, last = range[1], range[2]
  while #entries < limit do
    local count = math.min(next_count(#entries, bytes, max_bytes), limit - #entries)
    local chunk = read_from(range.log, command, first, last, 'COUNT', count) or {}
    for _, entry in ipairs(chunk) do
      bytes = bytes + #entry[2][2]
      if bytes > max_bytes and #entries >= range.at_least then return entries end
      table.insert(entries, entry)
    end
    if #chunk < count then return entries end
    first = '(' .. chunk[#chunk][1]
  end
  return entries
end

local function newest(log, limit, max_bytes)
  local entries = collect('XREVRANGE', { '+', '-', log = log, at_least = 1 }, limit, max_bytes)
  local ordered = {}
  for index = #entries, 1, -1 do table.insert(ordered, entries[index]) end
  return ordered
end

-- Whether a position from before the first publication belongs to this history. The position of a node does
-- not age, because the node has received every publication since.
local function is_before_first(key, epoch, offset, mode)
  local blank, day = parse_blank(epoch, offset)
  if not blank then return false end
  local first = call_on(key .. ':meta', 'HGET', 'first') or ''
  local first_blank, first_day = string.match(first, '^(%x+) (%d+)$')
  if not first_blank or not (mode == 'rest' or is_recent(day, tonumber(first_day))) then return false end
  if blank == first_blank then return true end
  local blanks = find_blanks(key)
  return is_same(blanks, blank, mode) and is_same(blanks, first_blank, mode)
end

-- Whether a position belongs to this history, also under a former epoch, see rename_epoch.
local function is_of(meta, epoch, offset)
  if epoch == meta.epoch then return true end
  for name, top in string.gmatch(meta.former, '(%S+) (%d+)') do
    if name == epoch then return offset <= tonumber(top) end
  end
  return false
end

-- Replies for a channel without a readable history. Keys that are left show that it has had one.
local function nothing_yet(key, mode, epoch, offset)
  local blanks = find_blanks(key)
  local blank, day = parse_blank(epoch, offset)
  local is_known = is_same(blanks, blank, mode) and (mode == 'rest' or is_recent(day, today()))
    and redis.call('EXISTS', key .. ':meta', key .. ':log') == 0
  return { blank_position(blanks).epoch, 0, (is_known or mode == 'newest') and 1 or 0, {} }
end

local function history(keys, args)
  local key, mode, epoch = keys[1], args[1], args[2]
  local offset, limit, max_bytes = tonumber(args[3]), tonumber(args[4]), tonumber(args[5])
  local _, _, kind = parse_key(key)
  if not config().limits[kind or ''] then return { '', 0, mode == 'newest' and 1 or 0, {} } end
  await_channel(key)
  local meta = find_epoch(key)
  if not meta then return nothing_yet(key, mode, epoch, offset) end
  local log = key .. ':log'
  if mode == 'newest' then return { meta.epoch, meta.offset, 1, newest(log, limit, max_bytes) } end

  local missed = meta.offset - offset
  local nothing = { meta.epoch, meta.offset, 0, {} }
  local is_known = is_of(meta, epoch, offset) or is_before_first(key, epoch, offset, mode)
  if not is_known or missed < 0 then return nothing end
  if missed == 0 then return { meta.epoch, meta.offset, 1, {} } end
  local is_all = mode == 'all'
  local first = text(offset + 1) .. '-0'
  if #(read_from(log, 'XRANGE', first, first) or {}) == 0 then return nothing end
  local too_large = { meta.epoch, meta.offset, -1, {} }
  -- No publication is shorter than a byte.
  if is_all and (missed > limit or missed > max_bytes) then return too_large end
  local range = { first, '+', log = log, at_least = is_all and 0 or 1 }
  local entries = collect('XRANGE', range, limit, max_bytes)
  if is_all and #entries < missed then return too_large end
  return { meta.epoch, meta.offset, 1, entries }
end

redis.register_function{
  function_name = 'leque_history',
  callback = history,
  flags = WHEN_FULL,
}
