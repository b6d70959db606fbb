import { type Static, Type } from 'typebox';

/** The log levels of processes, from the most severe to everything; `silent` writes nothing. */
export const PROCESS_LOG_LEVELS = [
  'fatal',
  'error',
  'warn',
  'info',
  'debug',
  'trace',
  'silent',
] as const;

/** The body of `POST /api/log-level`. */
export const LogLevelChange = Type.Object(
  {
    level: Type.Enum([...PROCESS_LOG_LEVELS], { description: 'least severe level to write' }),
    node: Type.Optional(
      Type.String({ description: 'NODE_ID of the process to change; without it all change' }),
    ),
  },
  { additionalProperties: false, examples: [{ level: 'debug', node: 'gateway-1' }] },
);
export type LogLevelChange = Static<typeof LogLevelChange>;

export const LogLevelAnswer = Type.Object({
  changed: Type.Array(Type.String(), { description: 'NODE_IDs of the processes that changed' }),
});
export type LogLevelAnswer = Static<typeof LogLevelAnswer>;
