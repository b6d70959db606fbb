-- leque_rights: finds the commands that the user of this call may not run, without running them.
--
-- KEYS     none, because Redis would require rights for them
-- ARGV     commands with their arguments, each as a JSON list
-- Reply    the numbers of the refused commands, counted from 1

redis.register_function('leque_rights', function(_, commands)
  local refused = {}
  for number, command in ipairs(commands) do
    -- A command that the server does not know is an error.
    local is_known, is_allowed = pcall(redis.acl_check_cmd, unpack(cjson.decode(command)))
    if not is_known or not is_allowed then table.insert(refused, number) end
  end
  return refused
end)

-- leque_probe: publishes a message to the caller by the command of publications, so that its arrival
-- proves that publications arrive.
--
-- KEYS[1]  the Redis channel to which the caller has subscribed; no key of this name is read or stored
-- ARGV     MESSAGE
-- Reply    the number of receivers on this server
local function probe(keys, args)
  local problem = refused(publish_command(), keys[1], '')
  if problem then return redis.error_reply(problem) end
  return redis.call(publish_command(), keys[1], args[1])
end

redis.register_function{
  function_name = 'leque_probe',
  callback = probe,
  flags = WHEN_FULL,
}
