-- Turns the event of another service into one that can be stored: checks and completes it.

-- Drops every field but data that is null, because null means left out.
local function drop_nulls(event)
  for _, field in ipairs(config().event_fields) do
    if field.name ~= 'data' and event[field.name] == cjson.null then event[field.name] = nil end
  end
end

-- The texts of fields have no control characters, so no other character needs an escape.
local function member(name, value)
  return '"' .. name .. '":"' .. string.gsub(value, '[\\"]', '\\%0') .. '"'
end

-- Replaces ids that are numbers by their texts.
local function write_ids_as_texts(event)
  for _, field in ipairs(config().event_fields) do
    if field.is_id then event[field.name] = id_in(event[field.name]) or event[field.name] end
  end
end

-- Gives the event the ids that it lacks: the id of the channel, then those in its data.
local function add_own_ids(event, log)
  if log.id ~= '' and event[log.kind .. '_id'] == nil then event[log.kind .. '_id'] = log.id end
  if type(event.data) ~= 'table' then return end
  for _, field in ipairs(config().event_fields) do
    if field.is_id and event[field.name] == nil then
      event[field.name] = id_in(event.data[field.name])
    end
  end
end

local function required_fields(event)
  local required = {}
  for _, field in ipairs(config().event_data[event.type or event.event_type] or {}) do
    if field.required then required[field.name] = true end
  end
  return required
end

-- Gives data the ids that its type requires and the event has. Returns them as members for the text.
local function add_ids_in_data(event)
  local members = {}
  if type(event.data) ~= 'table' then return members end
  local required = required_fields(event)
  for _, field in ipairs(config().event_fields) do
    local name = field.name
    local value = field.is_id and required[name] and event[name]
    if type(value) == 'string' and event.data[name] == nil then
      event.data[name] = value
      table.insert(members, member(name, value))
    end
  end
  return members
end

-- The text of an event may be that much larger than the event, as over HTTP.
local SENT_PER_STORED = 2

local function too_large()
  return 'an event must not be larger than ' .. config().max_event_bytes .. ' bytes (MAX_EVENT_SIZE)'
end

-- Returns the event as a table, with the texts that are stored as they came in `texts`; or nil and what
-- is wrong with the event.
local function parse_event(json, log)
  if #json > SENT_PER_STORED * config().max_event_bytes then return nil, too_large() end
  if not is_utf8(json) then return nil, 'an event must be UTF-8' end
  local ok, event = decode(json)
  if not ok or is_lax(json) then
    return nil, 'not JSON' .. (ok and '' or ': ' .. tostring(event))
  end
  if not string.find(json, '^%s*{') then return nil, 'an event is a JSON object' end
  local texts, wrong_name = split_members(json)
  if not texts then return nil, wrong_name end
  drop_nulls(event)
  write_ids_as_texts(event)
  add_own_ids(event, log)
  local in_data = add_ids_in_data(event)
  local problems, warnings = find_problems(event, texts.data, log.channel)
  if #problems == 0 then problems = address_problems(event, log) end
  if #problems > 0 then return nil, table.concat(problems, '; ') end
  event.warnings = #warnings > 0 and table.concat(warnings, '; ') or nil
  event.texts = {
    data = with_members(texts.data, in_data),
    message_id = event.message_id and texts.message_id,
  }
  return event
end

local function new_message_id()
  return (string.gsub(string.sub(unique(), 1, 32), '^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)',
    '%1-%2-%3-%4-'))
end

-- Returns the text to store: the fields for clients, in the order of their table.
local function stored_text(event)
  local members = {}
  for _, field in ipairs(config().event_fields) do
    local name = field.name
    local value = field.stored and event[name]
    if value == true then
      table.insert(members, '"' .. name .. '":true')
    elseif value then
      local text = event.texts[name]
      table.insert(members, text and '"' .. name .. '":' .. text or member(name, value))
    end
  end
  return '{' .. table.concat(members, ',') .. '}'
end

-- Returns what is stored; or nil and that it is too large.
local function complete(event)
  event.type = event.type or event.event_type
  event.timestamp = event.timestamp or rfc3339(redis.call('TIME'))
  event.message_id = event.message_id or new_message_id()
  local json = stored_text(event)
  if #json > config().max_event_bytes then return nil, too_large() end
  return { type = event.type, message_id = event.message_id, json = json, live = event.live }
end
