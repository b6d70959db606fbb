-- Checks an event against the rules of its fields, which event-rules.ts renders into the config.

local fields_by_name
local function field_of(name)
  if not fields_by_name then
    fields_by_name = {}
    for _, field in ipairs(config().event_fields) do fields_by_name[field.name] = field end
  end
  return fields_by_name[name]
end

-- Whether a field only controls the publishing: it is not stored, and no client gets it.
local function is_steering(name)
  local field = field_of(name)
  return field and not field.stored
end

local function length(value)
  return select(2, string.gsub(value, '[^\128-\191]', ''))
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

-- A text that fits a pattern is ASCII, so its bytes are its characters.
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

-- Returns what is wrong with a value, or nil. event-rules.ts makes the rules.
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
  local code = event.data.code
  if #problems == 0 and (event.type or event.event_type) == 'error'
    and code ~= nil and config().reserved_codes[tostring(code)] then
    table.insert(problems, 'data.code is reserved for errors of the server')
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

-- Returns everything that is wrong with the event, in words for its author.
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

-- The rules of addressing.ts of the protocol package, from which the tables come. The key of a call names
-- the channel, so no event names nobody.
local function is_for_user(kind)
  local prefix = config().user_types
  return string.sub(kind, 1, #prefix) == prefix
end

-- Returns the fields of data that say whom an event of this type is for.
local function addresses_of(kind)
  return config().event_addresses[kind] or is_for_user(kind) and config().user_type_addresses or {}
end

local function is_id(value)
  return value ~= nil and not violation(field_of('user_id').rule, value)
end

-- Returns what contradicts itself in an event that has the id of its channel already.
local function address_problems(event, channel)
  local kind = event.type or event.event_type
  local named, id = string.match(channel, '^(%l+):(.+)$')
  if named and event[named .. '_id'] ~= id then
    return { named .. '_id differs from the id in channel' }
  end
  if not named and is_for_user(kind) then
    return { 'channel must not be ' .. channel .. ' for ' .. config().user_types .. '*' }
  end
  local problems = {}
  for _, address in ipairs(addresses_of(kind)) do
    local value = event.data[address.name]
    if is_id(value) and event[address.id] ~= nil and event[address.id] ~= value then
      table.insert(problems, 'data.' .. address.name .. ' differs from ' .. address.id)
    end
  end
  return problems
end
