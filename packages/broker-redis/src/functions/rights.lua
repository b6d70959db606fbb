-- leque_rights: finds the commands that the user of this call may not run, without running them.
--
-- KEYS     none, because Redis would require rights for them
-- ARGV     commands with their arguments, each as a JSON list
-- Reply    the numbers of the refused commands, counted from 1

redis.register_function('leque_rights', function(_, commands)
  local refused = {}
  for number, command in ipairs(commands) do
    if not redis.acl_check_cmd(unpack(cjson.decode(command))) then table.insert(refused, number) end
  end
  return refused
end)
