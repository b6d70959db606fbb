import { type Control, controlKind } from '@leque/core';
import { LogLevelChange } from '@leque/protocol';
import { Type } from 'typebox';

/** Changes the log level of all processes, or of the one that the request names (null: all). */
export const LOG_LEVEL = controlKind(
  'log level',
  Type.Object({
    level: LogLevelChange.properties.level,
    node: Type.Union([Type.String(), Type.Null()]),
  }),
  Type.Literal(true),
);

/** Lets operators change what this process logs; each of its loggers has a level of its own. */
export function registerLogLevel(
  control: Control,
  nodeId: string,
  loggers: readonly { level: string }[],
): void {
  control.handle(LOG_LEVEL, ({ level, node }) => {
    if (node !== null && node !== nodeId) return undefined;
    for (const logger of loggers) logger.level = level;
    return true;
  });
}
