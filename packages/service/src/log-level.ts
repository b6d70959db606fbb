import { type Control, controlKind, loggable } from '@leque/core';
import { LogLevelChange } from '@leque/protocol';
import { Type } from 'typebox';

const MAX_CALLER = 100;

/** Changes the log level of all processes, or of the one that the request names (null: all). */
export const LOG_LEVEL = controlKind(
  'log level',
  Type.Object({
    level: LogLevelChange.properties.level,
    node: Type.Union([Type.String(), Type.Null()]),
    by: Type.Optional(Type.String({ description: 'who asked, in words' })),
  }),
  Type.Literal(true),
);

interface Logger {
  level: string;
  warn(details: object, message: string): void;
}

/** Lets operators change what this process logs; each of its loggers has a level of its own. */
export function registerLogLevel(
  control: Control,
  nodeId: string,
  loggers: readonly Logger[],
): void {
  control.handle(LOG_LEVEL, ({ level, node, by = 'an operator' }) => {
    if (node !== null && node !== nodeId) return undefined;
    announce(loggers[0], { from: loggers[0]?.level, to: level, by: loggable(by, MAX_CALLER) });
    for (const logger of loggers) logger.level = level;
    return true;
  });
}

/** Written whatever the level is and becomes, so that nobody can silence a log unseen. */
function announce(logger: Logger | undefined, change: object): void {
  if (logger === undefined) return;
  logger.level = 'warn';
  logger.warn(change, 'log_level_changed');
}
