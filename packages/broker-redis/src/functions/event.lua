-- Turns the event of another service into one that can be stored: checks and completes it. Its text
-- stays as it came: decoding and encoding it again would turn empty arrays into objects and round big
-- numbers.

-- An own instance, because the shared one accepts NaN, which no client could read.
local strict_json
local function decode(json)
  if not strict_json then
    strict_json = cjson.new()
    strict_json.decode_invalid_numbers(false)
  end
  return pcall(strict_json.decode, json)
end

-- Whether the text has something that the decoder accepts and JSON forbids: control characters in
-- strings, a dot without digits on both sides, and anything after a NUL, where the decoder stops.
local function is_lax(json)
  if string.find(json, '%z') then return true end
  local bare = string.gsub(string.gsub(json, '\\.', ''), '"[^"%z\1-\31]*"', '')
  return string.find(bare, '["\\]') or string.find(bare, '%.%D') or string.find(bare, '%D%.')
end

-- Lua has one type for arrays and objects. Where a table is empty, it is decoded again after every empty
-- array of that name in the text has got a member.
local function is_object(value, name, json)
  if type(value) ~= 'table' or value[1] ~= nil then return false end
  if next(value) ~= nil then return true end
  local marked = string.gsub(json, '("' .. name .. '"%s*:%s*)%[%s*%]', '%1[0]')
  local ok, event = decode(marked)
  return ok and event[name][1] == nil
end

local function end_of_string(json, quote)
  local at = quote
  repeat
    at = string.find(json, '["\\]', at + 1)
    local escaped = string.sub(json, at, at) == '\\'
    if escaped then at = at + 1 end
  until not escaped
  return at
end

-- Whether a name of the event's own fields is written with escapes: the text would hide the field.
local function has_escaped_name(json)
  if not string.find(json, '\\u', 1, true) then return false end
  local depth, at = 0, string.find(json, '{', 1, true)
  while at do
    local char = string.sub(json, at, at)
    if char == '"' then
      local last = end_of_string(json, at)
      local is_name = depth == 1 and string.find(json, '^%s*:', last + 1)
      if is_name and string.find(string.sub(json, at, last), '\\', 1, true) then return true end
      at = last
    else
      depth = depth + ((char == '{' or char == '[') and 1 or -1)
    end
    at = string.find(json, '["{}%[%]]', at + 1)
  end
  return false
end

-- Returns the text without its members that are null or not for clients, and with further members in
-- its data. The members that data has already stay as they came.
local function edit_text(json, in_data)
  local parts, depth, copied = {}, 0, 1
  local at = string.find(json, '{', 1, true)
  while at do
    local char = string.sub(json, at, at)
    if char == '"' then
      local last = end_of_string(json, at)
      local value = depth == 1 and string.match(json, '^%s*:%s*()', last + 1)
      local name = string.sub(json, at + 1, last - 1)
      local after
      if value and string.find(json, '^null', value) then after = value + 4
      elseif value and is_steering(name) then after = end_of_string(json, value) + 1 end
      if after then
        table.insert(parts, string.sub(json, copied, at - 1))
        copied = string.match(json, '^%s*,?()', after)
        last = copied - 1
      elseif value and name == 'data' and #in_data > 0 and string.find(json, '^{', value) then
        table.insert(parts, string.sub(json, copied, value) .. table.concat(in_data, ','))
        if not string.find(json, '^%s*}', value + 1) then table.insert(parts, ',') end
        copied = value + 1
      end
      at = last
    else
      depth = depth + ((char == '{' or char == '[') and 1 or -1)
    end
    at = string.find(json, '["{}%[%]]', at + 1)
  end
  table.insert(parts, string.sub(json, copied))
  return table.concat(parts)
end

-- Drops every field but data that is null, because null means left out. Returns whether there was one.
local function drop_nulls(event)
  local dropped = false
  for _, field in ipairs(config().event_fields) do
    if field.name ~= 'data' and event[field.name] == cjson.null then
      event[field.name] = nil
      dropped = true
    end
  end
  return dropped
end

local function member(name, id)
  return '"' .. name .. '":"' .. id .. '"'
end

-- Gives the event the ids that it lacks: the id of the channel, then those in its data. Returns them as
-- members for the text.
local function add_own_ids(event, channel)
  local members = {}
  local function add(name, id)
    event[name] = id
    table.insert(members, member(name, id))
  end
  local kind, id = string.match(channel, '^(%l+):(.+)$')
  if kind and event[kind .. '_id'] == nil then add(kind .. '_id', id) end
  if type(event.data) ~= 'table' then return members end
  for _, field in ipairs(config().event_fields) do
    local value = event.data[field.name]
    local is_missing = field.is_id and event[field.name] == nil and value ~= nil
    if is_missing and not violation(field.rule, value) then add(field.name, value) end
  end
  return members
end

-- Gives data the ids that its type requires and the event has. Returns them as members for the text.
local function add_ids_in_data(event)
  local members = {}
  if type(event.data) ~= 'table' then return members end
  for _, field in ipairs(config().event_data[event.type or event.event_type] or {}) do
    local is_id = field.required and (field_of(field.name) or {}).is_id
    local value = is_id and event[field.name]
    if type(value) == 'string' and event.data[field.name] == nil then
      event.data[field.name] = value
      table.insert(members, member(field.name, value))
    end
  end
  return members
end

-- Returns the event as a table, with the text to store and the members that the text still lacks; or
-- nil and what is wrong with the event.
local function parse_event(json, channel)
  local max_bytes = config().max_event_bytes
  if #json > max_bytes then
    return nil, 'an event must not be larger than ' .. max_bytes .. ' bytes'
  end
  local ok, event = decode(json)
  if not ok or is_lax(json) then
    return nil, 'not JSON' .. (ok and '' or ': ' .. tostring(event))
  end
  if not string.find(json, '^%s*{') then return nil, 'an event is a JSON object' end
  if has_escaped_name(json) then
    return nil, 'the names of an event\'s own fields must be written without escapes'
  end
  local excess = drop_nulls(event)
  local has_data = is_object(event.data, 'data', json)
  local own, in_data = add_own_ids(event, channel), add_ids_in_data(event)
  local problems = find_problems(event, has_data, channel)
  if #problems == 0 then problems = address_problems(event, channel) end
  if #problems > 0 then return nil, table.concat(problems, '; ') end
  for name in pairs(event) do excess = excess or is_steering(name) end
  event.text = (excess or #in_data > 0) and edit_text(json, in_data) or json
  event.lacking = own
  return event
end

local function new_message_id()
  return (string.gsub(string.sub(unique(), 1, 32), '^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)',
    '%1-%2-%3-%4-'))
end

-- Puts the members that the text lacks before its last brace. Nodes rely on that brace.
local function complete(event)
  local members = event.lacking
  local function add(name, value) table.insert(members, '"' .. name .. '":' .. value) end
  if event.type == nil then add('type', '"' .. event.event_type .. '"') end
  if event.timestamp == nil then add('timestamp', '"' .. rfc3339(redis.call('TIME')) .. '"') end
  local message_id = event.message_id or new_message_id()
  if event.message_id == nil then add('message_id', '"' .. message_id .. '"') end
  local body = string.gsub(string.match(event.text, '^%s*(.*)}%s*$'), ',%s*$', '')
  local joined = #members > 0 and ',' .. table.concat(members, ',') or ''
  return {
    type = event.type or event.event_type,
    message_id = message_id,
    json = body .. joined .. '}',
  }
end
