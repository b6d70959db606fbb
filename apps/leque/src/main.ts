#!/usr/bin/env node
import { API_VARIABLES } from './api/api-client.ts';
import { lequeProgram } from './program.ts';

// An empty variable counts as not set, as it does for servers.
for (const name of API_VARIABLES) if (process.env[name] === '') delete process.env[name];
await lequeProgram(process.env).parseAsync();
