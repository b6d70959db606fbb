-- leque_rights: which of some commands the user of this call may not run. None of them is run.
--
-- KEYS     none: Redis would ask for the rights of them
-- ARGV     commands with their arguments, each as a JSON list
-- Reply    the numbers of those that are refused, counted from 1

redis.register_function('leque_rights', function(_, commands)
  local refused = {}
  for number, command in ipairs(commands) do
    if not redis.acl_check_cmd(unpack(cjson.decode(command))) then table.insert(refused, number) end
  end
  return refused
end)
