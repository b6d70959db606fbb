-- Checks the event of a foreign publisher, and completes it. The text stays as it came: decoding
-- and encoding it again would turn empty arrays into objects and round big numbers.

local fields_by_name
local function field_of(name)
  if not fields_by_name then
    fields_by_name = {}
    for _, field in ipairs(config().event_fields) do fields_by_name[field.name] = field end
  end
  return fields_by_name[name]
end

-- Whether this field only steers the publishing: it is not stored, and no client gets it.
local function is_steering(name)
  local field = field_of(name)
  return field and not field.stored
end

-- An instance of its own, because the shared one takes NaN, which no client could read.
local strict_json
local function decode(json)
  if not strict_json then
    strict_json = cjson.new()
    strict_json.decode_invalid_numbers(false)
  end
  return pcall(strict_json.decode, json)
end

-- What the decoder lets pass and JSON does not have: control characters in strings, a dot without
-- digits on both sides, and whatever follows a NUL, where the decoder stops.
local function is_lax(json)
  if string.find(json, '%z') then return true end
  local bare = string.gsub(string.gsub(json, '\\.', ''), '"[^"%z\1-\31]*"', '')
  return string.find(bare, '["\\]') or string.find(bare, '%.%D') or string.find(bare, '%D%.')
end

local function length(value)
  return select(2, string.gsub(value, '[^\128-\191]', ''))
end

-- Lua has one type for both. An empty one is told apart by making the empty arrays less empty.
local function is_object(value, name, json)
  if type(value) ~= 'table' or value[1] ~= nil then return false end
  if next(value) ~= nil then return true end
  local marked = string.gsub(json, '("' .. name .. '"%s*:%s*)%[%s*%]', '%1[0]')
  local ok, event = decode(marked)
  return ok and event[name][1] == nil
end

local function is_deeper(value, levels)
  if type(value) ~= 'table' then return false end
  if levels == 0 then return true end
  for _, member in pairs(value) do
    if is_deeper(member, levels - 1) then return true end
  end
  return false
end

local FORMATS = { ['date-time'] = is_timestamp }

-- A text with a pattern is ASCII when it fits, so that its bytes are its characters.
local function has_form(rule, value)
  if rule.format then return FORMATS[rule.format](value) end
  return #value <= (rule.max_length or #value) and string.find(value, rule.pattern)
end

local function text_violation(rule, value)
  if rule.expected then
    return not has_form(rule, value) and 'must be ' .. rule.expected or nil
  end
  local size = length(value)
  if size < (rule.min_length or 0) then return 'must not be empty' end
  if size > (rule.max_length or size) then
    return 'must not have more than ' .. rule.max_length .. ' characters'
  end
  return nil
end

-- What is wrong with a value; nil when it fits. Rules are made in event-rules.ts.
local function violation(rule, value)
  if rule.values then
    for _, allowed in ipairs(rule.values) do
      if value == allowed then return nil end
    end
    return 'must be one of ' .. table.concat(rule.values, ', ')
  end
  local fits = false
  for _, name in ipairs(rule.types) do fits = fits or type(value) == name end
  if not fits then
    return 'must be ' .. (rule.expected or 'a ' .. table.concat(rule.types, ' or a '))
  end
  if type(value) == 'string' then return text_violation(rule, value) end
  if rule.integer and value % 1 ~= 0 then return 'must be a whole number' end
  if value < (rule.minimum or value) then return 'must be at least ' .. rule.minimum end
  if value > (rule.maximum or value) then return 'must be at most ' .. rule.maximum end
  return nil
end

local function check_data(event, problems)
  for _, field in ipairs(config().event_data[event.type or event.event_type] or {}) do
    local value = event.data[field.name]
    local problem
    if value ~= nil then problem = violation(field.rule, value)
    elseif field.required then problem = 'is required' end
    if problem then table.insert(problems, 'data.' .. field.name .. ' ' .. problem) end
  end
end

local function check_fields(event, problems)
  for _, field in ipairs(config().event_fields) do
    local value = event[field.name]
    local problem = field.rule and value ~= nil and violation(field.rule, value)
    if problem then table.insert(problems, field.name .. ' ' .. problem) end
  end
  local names = {}
  for name in pairs(event) do
    if not field_of(name) then table.insert(names, name) end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local shown = string.sub(string.gsub(name, '[^%w%._:@-]', '?'), 1, 64)
    table.insert(problems, shown .. ' is not a known field')
  end
end

-- Everything that is wrong with the event, in words for its author.
local function find_problems(event, has_data, channel)
  local problems = {}
  check_fields(event, problems)
  local kind = event.type or event.event_type
  if kind == nil then
    table.insert(problems, 'type is required')
  elseif event.event_type ~= nil and event.event_type ~= kind then
    table.insert(problems, 'event_type differs from type; give one of them')
  elseif config().reserved_types[kind] then
    table.insert(problems, 'type "' .. kind .. '" is reserved for the server')
  end
  if event.channel ~= nil and event.channel ~= channel then
    table.insert(problems, 'channel differs from that of the key')
  end
  if event.data == nil then
    table.insert(problems, 'data is required')
  elseif not has_data then
    table.insert(problems, 'data must be an object')
  elseif is_deeper(event.data, config().max_depth) then
    table.insert(problems, 'data must not be nested more than ' .. config().max_depth .. ' levels deep')
  elseif #problems == 0 then
    check_data(event, problems)
  end
  return problems
end

-- Null in any field but data means that it was left out. True when there was one.
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

-- Gives the event the ids that it lacks: the channel's id, then those in its data. Answers with them
-- as members for the text.
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

-- Gives data the ids that its type requires and the event has. Answers with them as members.
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

local function end_of_string(json, quote)
  local at = quote
  repeat
    at = string.find(json, '["\\]', at + 1)
    local escaped = string.sub(json, at, at) == '\\'
    if escaped then at = at + 1 end
  until not escaped
  return at
end

-- Whether one of the event's own names is written with escapes: it would not be found in the text.
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

-- The text without those of its own members that are null or not for clients, and with more members
-- in its data. What data has already stays as it came.
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

-- The event as a table, with the text to store and the members that this lacks yet; or nil and what
-- is wrong with it.
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

-- The event's text with what it lacks put before its last brace; nodes rely on that brace.
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
