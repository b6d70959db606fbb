-- Checks and splits the text of an event. Its `data` and message id are stored as they came: decoding
-- and encoding them again would turn empty arrays into objects and change numbers.

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

local function end_of_string(json, quote)
  local at = quote
  repeat
    at = string.find(json, '["\\]', at + 1)
    local escaped = string.sub(json, at, at) == '\\'
    if escaped then at = at + 1 end
  until not escaped
  return at
end

-- Returns the place after the object or array that begins at `start`.
local function end_of_nested(json, start)
  local depth, at = 0, start
  repeat
    local char = string.sub(json, at, at)
    if char == '"' then at = end_of_string(json, at)
    else depth = depth + ((char == '{' or char == '[') and 1 or -1) end
    at = depth == 0 and at or string.find(json, '["{}%[%]]', at + 1)
  until depth == 0
  return at + 1
end

-- Returns the place after the value that begins at `start`.
local function end_of_value(json, start)
  local char = string.sub(json, start, start)
  if char == '"' then return end_of_string(json, start) + 1 end
  if char == '{' or char == '[' then return end_of_nested(json, start) end
  return string.match(json, '^[^%s,}]+()', start)
end

-- Splits the text of a valid event. Returns the texts of its own members by name; or nil and what is
-- wrong with a name.
local function split_members(json)
  local texts = {}
  local at = string.match(json, '^%s*{%s*()')
  while string.sub(json, at, at) == '"' do
    local quote = end_of_string(json, at)
    local name = string.sub(json, at + 1, quote - 1)
    if string.find(name, '\\', 1, true) then
      return nil, 'the names of an event\'s own fields must be written without escapes'
    end
    if texts[name] then return nil, shown(name) .. ' is given more than once' end
    local start = string.match(json, '^%s*:%s*()', quote + 1)
    local after = end_of_value(json, start)
    texts[name] = string.sub(json, start, after - 1)
    at = string.match(json, '^%s*,?%s*()', after)
  end
  return texts
end

-- Adds members to the text of an object, in front of its own.
local function with_members(object, members)
  if #members == 0 then return object end
  local is_empty = string.find(object, '^{%s*}$')
  return '{' .. table.concat(members, ',') .. (is_empty and '' or ',') .. string.sub(object, 2)
end
