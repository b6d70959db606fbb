-- Checks an event against the rules of its fields, which event-rules.ts renders into the config.

local function days_in(year, month)
  if month == 2 and year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0) then return 29 end
  return ({ 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 })[month] or 0
end

local function is_date(year, month, day)
  return year >= 1 and day >= 1 and day <= days_in(year, month)
end

local function is_zone(zone)
  if zone == 'Z' or zone == 'z' then return true end
  local hours, minutes = string.match(zone, '^[+-](%d%d):(%d%d)$')
  return hours and tonumber(hours) <= 23 and tonumber(minutes) <= 59
end

-- Has the verdicts of timestamp.ts of the protocol package.
local function is_timestamp(value)
  local year, month, day, hour, minute, second, rest =
    string.match(value, '^(%d%d%d%d)%-(%d%d)%-(%d%d)[Tt](%d%d):(%d%d):(%d%d)(.*)$')
  if not year or not is_date(tonumber(year), tonumber(month), tonumber(day)) then return false end
  if tonumber(hour) > 23 or tonumber(minute) > 59 or tonumber(second) > 59 then return false end
  return is_zone((string.gsub(rest, '^%.%d+', '')))
end

-- Formats Redis's own time.
local function rfc3339(time)
  local seconds = tonumber(time[1])
  local days = math.floor(seconds / 86400)
  -- Converts days since 1970 to a date, in eras of 400 years that begin in March.
  local shifted = days + 719468
  local era = math.floor(shifted / 146097)
  local day_of_era = shifted - era * 146097
  local year_of_era = math.floor((day_of_era - math.floor(day_of_era / 1460)
    + math.floor(day_of_era / 36524) - math.floor(day_of_era / 146096)) / 365)
  local day_of_year = day_of_era - (365 * year_of_era + math.floor(year_of_era / 4)
    - math.floor(year_of_era / 100))
  local shifted_month = math.floor((5 * day_of_year + 2) / 153)
  local day = day_of_year - math.floor((153 * shifted_month + 2) / 5) + 1
  local month = shifted_month < 10 and shifted_month + 3 or shifted_month - 9
  local year = year_of_era + era * 400 + (month <= 2 and 1 or 0)
  local rest = seconds - days * 86400
  return string.format('%04d-%02d-%02dT%02d:%02d:%02d.%03dZ', year, month, day,
    math.floor(rest / 3600), math.floor(rest / 60) % 60, rest % 60,
    math.floor(tonumber(time[2]) / 1000))
end

-- Returns a name that a publisher chose, in a form that is safe in an error.
local function shown(name)
  return string.sub(string.gsub(name, '[^%w%._:@-]', '?'), 1, 64)
end

local fields_by_name
local function field_of(name)
  if not fields_by_name then
    fields_by_name = {}
    for _, field in ipairs(config().event_fields) do fields_by_name[field.name] = field end
  end
  return fields_by_name[name]
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

-- Returns the dotted path of a number beyond the range of 64-bit floats, which many clients cannot read;
-- nil without one.
local function find_infinite(value, path)
  if type(value) == 'number' then return math.abs(value) == math.huge and path or nil end
  if type(value) ~= 'table' then return nil end
  for name, member in pairs(value) do
    if type(member) == 'number' or type(member) == 'table' then
      local step = type(name) == 'number' and name - 1 or name
      local found = find_infinite(member, path .. '.' .. step)
      if found then return found end
    end
  end
  return nil
end

-- Numbers that large are written with many digits or a large exponent, so most data is not searched.
local function has_huge_number(json)
  return string.find(json, '[eE]%+?%d%d%d') or string.find(json, string.rep('%d', 200))
end

local FORMATS = { ['date-time'] = is_timestamp, ['leque-id'] = is_id_text }

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
  if rule.any_of then
    for _, alternative in ipairs(rule.any_of) do
      if not violation(alternative, value) then return nil end
    end
    return 'must be ' .. rule.expected
  end
  if rule.values then
    for _, allowed in ipairs(rule.values) do
      if value == allowed then return nil end
    end
    return 'must be one of ' .. table.concat(rule.values, ', ')
  end
  if type(value) ~= rule.type then return 'must be ' .. (rule.expected or 'a ' .. rule.type) end
  if type(value) == 'string' then return text_violation(rule, value) end
  if type(value) == 'boolean' then return nil end
  if rule.integer and value % 1 ~= 0 then return 'must be a whole number' end
  if value < (rule.minimum or value) then return 'must be at least ' .. rule.minimum end
  if value > (rule.maximum or value) then return 'must be at most ' .. rule.maximum end
  return nil
end

-- Returns the text of an id, which a whole number stands for as well; nil for anything else.
local function id_in(value)
  if value == nil or violation(field_of('user_id').rule, value) then return nil end
  return type(value) == 'number' and text(value) or value
end

-- Adds what does not fit the schema of the type.
local function compare_with_schema(kind, data, misfits)
  for _, field in ipairs(config().event_data[kind] or {}) do
    local value = data[field.name]
    local problem
    if value ~= nil then problem = violation(field.rule, value)
    elseif field.required then problem = 'is required' end
    if problem then table.insert(misfits, 'data.' .. field.name .. ' ' .. problem) end
  end
end

-- Adds what decides who gets the event and is wrong, whatever the policy for schemas is. The key has the
-- channel, so no id is missing.
local function check_routing(kind, data, channel, problems)
  for _, address in ipairs(config().event_addresses[kind] or {}) do
    local value = data[address.name]
    if value ~= nil and value ~= cjson.null and not id_in(value) then
      table.insert(problems, 'data.' .. address.name .. ' ' .. violation(field_of('user_id').rule, value))
    end
  end
  if channel ~= 'logs' or kind ~= 'log_message' then return end
  for _, field in ipairs(config().event_data[kind]) do
    local problem = field.name == 'level' and violation(field.rule, data.level)
    if problem then table.insert(problems, 'data.level ' .. problem) end
  end
end

-- The policies of data-schemas.ts of the protocol package.
local function check_data(event, channel, problems, warnings)
  local kind, policy = event.type or event.event_type, config().event_schemas
  if policy ~= 'strict' then check_routing(kind, event.data, channel, problems) end
  if policy ~= 'off' then
    compare_with_schema(kind, event.data, policy == 'strict' and problems or warnings)
  end
  local code = event.data.code
  if #problems == 0 and kind == 'error' and code ~= nil and config().reserved_codes[tostring(code)] then
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
  for _, name in ipairs(names) do table.insert(problems, shown(name) .. ' is not a known field') end
end

-- A key would promise that the event can be sent again without being delivered twice.
local LIVE_WITH_KEY =
  'idempotency_key must not be given with live, because nothing of a live event is remembered'

-- Returns everything that is wrong with the event, in words for its author, and what is only a warning.
-- `data_text` is the JSON of its data.
local function find_problems(event, data_text, channel)
  local problems, warnings = {}, {}
  check_fields(event, problems)
  local kind = event.type or event.event_type
  if kind == nil then
    table.insert(problems, 'type is required')
  elseif event.event_type ~= nil and event.event_type ~= kind then
    table.insert(problems, 'event_type differs from type; give one of them')
  elseif config().reserved_types[kind] then
    table.insert(problems, 'type "' .. kind .. '" is reserved: ' .. config().reserved_types[kind])
  end
  if event.live == true and event.idempotency_key ~= nil then
    table.insert(problems, LIVE_WITH_KEY)
  end
  if event.channel ~= nil and event.channel ~= channel then
    table.insert(problems, 'channel differs from that of the key')
  end
  if event.data == nil then
    table.insert(problems, 'data is required')
  elseif not string.find(data_text, '^{') then
    table.insert(problems, 'data must be an object')
  elseif is_deeper(event.data, config().max_depth) then
    table.insert(problems, 'data must not be nested more than ' .. config().max_depth .. ' levels deep')
  elseif has_huge_number(data_text) and find_infinite(event.data, 'data') then
    local path = string.gsub(find_infinite(event.data, 'data'), '[^%w%._:@-]', '?')
    table.insert(problems, path .. ' must be a number within the range of 64-bit floats')
  elseif #problems == 0 then
    check_data(event, channel, problems, warnings)
  end
  return problems, warnings
end

-- The rules of addressing.ts of the protocol package, from which the tables come. The key of a call names
-- the channel, so no event names nobody.
--
-- Returns the type itself, or its family such as task.*, when events of this type are for one user; or nil.
local function user_type_of(kind)
  local user_types = config().user_types
  if user_types[kind] then return kind end
  local family = (string.match(kind, '^[^%.]*%.') or '') .. '*'
  return user_types[family] and family or nil
end

-- Returns the fields of data that say whom an event of this type is for.
local function addresses_of(kind)
  return config().event_addresses[kind] or user_type_of(kind) and config().user_type_addresses or {}
end

-- Returns what contradicts itself in an event that has the id of its channel already.
local function address_problems(event, log)
  local kind = event.type or event.event_type
  local is_named = log.id ~= ''
  if is_named and event[log.kind .. '_id'] ~= log.id then
    return { log.kind .. '_id differs from the id in channel' }
  end
  local user_type = user_type_of(kind)
  if not is_named and user_type then
    return { 'channel must not be ' .. log.channel .. ' for ' .. user_type }
  end
  local problems = {}
  for _, address in ipairs(addresses_of(kind)) do
    local value = id_in(event.data[address.name])
    if value and event[address.id] ~= nil and event[address.id] ~= value then
      table.insert(problems, 'data.' .. address.name .. ' differs from ' .. address.id)
    end
  end
  return problems
end
