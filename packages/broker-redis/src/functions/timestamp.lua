-- Checks dates and times as in RFC 3339, and formats Redis's own time.

local function days_in(year, month)
  if month == 2 and year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0) then return 29 end
  return ({ 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 })[month] or 0
end

local function is_date(year, month, day)
  return day >= 1 and day <= days_in(year, month)
end

local function is_zone(zone)
  if zone == 'Z' or zone == 'z' then return true end
  local hours, minutes = string.match(zone, '^[+-](%d%d):(%d%d)$')
  return hours and tonumber(hours) <= 23 and tonumber(minutes) <= 59
end

local function is_timestamp(value)
  local year, month, day, hour, minute, second, rest =
    string.match(value, '^(%d%d%d%d)%-(%d%d)%-(%d%d)[Tt](%d%d):(%d%d):(%d%d)(.*)$')
  if not year or not is_date(tonumber(year), tonumber(month), tonumber(day)) then return false end
  if tonumber(hour) > 23 or tonumber(minute) > 59 or tonumber(second) > 59 then return false end
  return is_zone((string.gsub(rest, '^%.%d+', '')))
end

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
