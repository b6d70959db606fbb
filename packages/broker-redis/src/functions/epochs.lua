-- The epochs of channels: the position of a channel without history, the first epoch, and the epoch after
-- a restart or a loss of data.

local function new_epoch()
  return base36(tonumber(redis.call('TIME')[1])) .. string.sub(unique(), 1, 10)
end

-- A channel that nobody has published to has a position without a key. Its epoch is BLANKnDAY, with
-- offset 0, where BLANK is derived from the channel and from the id of the data set. The first epoch of
-- a channel is BLANK and 8 more digits, and its meta has `first`, BLANK and the day. Equal BLANKs mean
-- that nothing was lost between the two. The id of the data set has a key, which the first publication of
-- all writes. The key is lost with the data, and comes back with the data.
--
-- In a Redis Cluster each slot has its own id, because a function reaches only the slot of its key. A hash
-- tag of 14 binary digits puts the key into the slot. For each bit of a slot's number, TAG_MASKS has the
-- digits that change this bit alone in the CRC16 of the tag.
local TAG_DIGITS = 14
local TAG_BASE = 14707
local TAG_MASKS = { 0x3e1, 0x297, 0x3811, 0x4db, 0x1a22, 0x2ef0, 0xfa7, 0xfd3, 0x3bc2, 0x3b43, 0x1be1,
  0x584, 0xd11, 0x2aa3 }

local crc_of_byte
local function make_crc_table()
  crc_of_byte = {}
  for byte = 0, 255 do
    local crc = byte * 256
    for _ = 1, 8 do
      crc = crc * 2
      if crc >= 0x10000 then crc = bit.bxor(crc, 0x11021) end
    end
    crc_of_byte[byte] = crc
  end
end

local function crc16(bytes)
  if not crc_of_byte then make_crc_table() end
  local crc = 0
  for index = 1, #bytes do
    local next_byte = bit.bxor(bit.rshift(crc, 8), string.byte(bytes, index))
    crc = bit.bxor(bit.band(crc, 0xff) * 256, crc_of_byte[next_byte])
  end
  return crc
end

local function slot_tag(channel)
  local difference = bit.bxor(crc16(channel), TAG_BASE)
  local digits = 0
  for index, mask in ipairs(TAG_MASKS) do
    if bit.band(difference, bit.lshift(1, index - 1)) ~= 0 then digits = bit.bxor(digits, mask) end
  end
  local tag = ''
  for index = 0, TAG_DIGITS - 1 do tag = tag .. bit.band(bit.rshift(digits, index), 1) end
  return tag
end

local function data_set_key(key)
  local prefix, channel = parse_key(key)
  if not is_in_cluster() then return prefix .. 'data-set' end
  return prefix .. '{' .. slot_tag(channel) .. '}:data-set'
end

-- Returns the ids of a data set without a key: that of this server, and that of the master from which it
-- took over. Each removal of data changes both. The key holds these two ids after its own.
local function unnamed_ids()
  boot()
  local stats = redis.call('INFO', 'commandstats')
  local removals = ''
  for _, name in ipairs({ 'flushall', 'flushdb', 'swapdb', 'config|resetstat' }) do
    removals = removals .. ' ' .. (string.match(stats, 'cmdstat_' .. name .. ':calls=(%d+)') or 0)
  end
  local ids = {}
  for _, origin in ipairs(origins) do
    table.insert(ids, string.sub(redis.sha1hex(origin .. removals), 1, 16))
  end
  return ids
end

-- Returns a text that changes with each eviction, because an evicted key may belong to any channel; an
-- empty text where Redis evicts nothing.
local function losses()
  local now = boot()
  if not evicts then return '' end
  return now .. ' ' .. (string.match(redis.call('INFO', 'stats'), 'evicted_keys:(%d+)') or '')
end

-- Returns the BLANKs of the channel for the ids of a data set: the present one, and the former ones, which
-- mean the same.
local function blanks_of(key, ids)
  local blanks, lost = {}, losses()
  for index, id in ipairs(ids) do
    blanks[index] = string.sub(redis.sha1hex(id .. ' ' .. key .. ' ' .. lost), 1, 8)
  end
  return blanks
end

local function ids_in(text)
  local ids = {}
  for id in string.gmatch(text, '%x+') do table.insert(ids, id) end
  return ids
end

-- Returns the present BLANKs of the channel. Writes nothing.
local function find_blanks(key)
  local named = read_from(data_set_key(key), 'GET')
  return blanks_of(key, named and ids_in(named) or unnamed_ids())
end

local function today()
  return math.floor(tonumber(redis.call('TIME')[1]) / 86400)
end

-- Writes the id of the data set unless it is there, and returns the BLANK for the first epoch of a channel.
-- Returns nil for a user without rights to that key: the first epoch then continues no earlier position.
local function begin_blank(key)
  local name = data_set_key(key)
  if not redis.acl_check_cmd('GET', name) or not redis.acl_check_cmd('SET', name, '') then return nil end
  local blank = find_blanks(key)[1]
  if not read_from(name, 'GET') then
    redis.call('SET', name, string.sub(unique(), 1, 16) .. ' ' .. table.concat(unnamed_ids(), ' '))
  end
  return blank
end

-- Whether nothing was published and lost since `blank` was given. The last BLANK is that of the former
-- master. It counts only for nodes, because they were connected when this server took over.
local function is_same(blanks, blank, mode)
  for index = 1, mode == 'rest' and #blanks or #blanks - 1 do
    if blanks[index] == blank then return true end
  end
  return false
end

local function blank_position(blanks)
  return { epoch = blanks[1] .. 'n' .. base36(today()), offset = 0 }
end

-- Days for which a position counts. It must be shorter than the life of meta: the keys of a publication
-- that came after the position cannot have expired before.
local BLANK_DAYS = 5

-- Returns the BLANK and the day of a position; nil for a position in a history.
local function parse_blank(epoch, offset)
  local blank, day = string.match(epoch, '^(%x%x%x%x%x%x%x%x)n(%w+)$')
  if offset ~= 0 or not blank then return nil end
  return blank, tonumber(day, 36)
end

local function is_recent(day, later)
  return day <= later and later - day <= BLANK_DAYS
end

-- Keys of the channel that are left show that it has had a history.
local function start_epoch(key)
  local left = redis.call('DEL', key .. ':meta', key .. ':log')
  local blank = left == 0 and begin_blank(key)
  local epoch = blank and blank .. string.sub(unique(), 1, 8) or new_epoch()
  local first = blank and blank .. ' ' .. text(today()) or ''
  redis.call('HSET', key .. ':meta', 'epoch', epoch, 'offset', 0, 'boot', boot(), 'first', first)
  redis.call('PEXPIRE', key .. ':meta', config().meta_ttl_ms)
  return { epoch = epoch, offset = 0 }
end

-- A server that has restarted, or was promoted, may have lost the newest publications. It would give their
-- offsets to other publications, which nodes and clients would take for repetitions. So a new epoch
-- begins. `former` lists the epochs before, newest first, each with the offset up to which it is known
-- to be the same history, so that older cursors still resume where nothing was lost.
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

-- The data has gone back within one run, as after a snapshot was restored: other publications have the
-- offsets after it, or will have them. Where they begin is unknown, so no earlier cursor counts.
local function abandon_epoch(key, meta)
  local epoch = new_epoch()
  redis.call('HSET', key .. ':meta', 'epoch', epoch, 'boot', boot(), 'former', '', 'first', '')
  return { epoch = epoch, offset = meta.offset, former = '' }
end

-- Whether epoch and offset make a cursor, see position.ts of the protocol package.
local function is_position(epoch, offset)
  return epoch and offset and #epoch <= 32 and #offset <= 15
    and string.find(epoch, '^[a-z0-9]+$') and string.find(offset, '^%d+$')
end

-- Returns the epoch, top offset and former epochs; nil when meta is missing or makes no cursor.
local function find_epoch(key)
  local found = read_from(key .. ':meta', 'HMGET', 'epoch', 'offset', 'boot', 'former') or {}
  local epoch, offset = found[1], found[2]
  if not is_position(epoch, offset) then return nil end
  offset = tonumber(offset)
  local meta = { epoch = epoch, offset = offset, former = found[4] or '' }
  if found[3] == boot() then return meta end
  return rename_epoch(key, meta)
end
