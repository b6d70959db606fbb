import type { Control } from '@leque/core';

export const PROCESS_LOG_LEVELS = [
  'fatal',
  'error',
  'warn',
  'info',
  'debug',
  'trace',
  'silent',
] as const;

export const LOG_LEVEL_QUESTION = 'log level';

/** Lets operators change what this process logs; each of its loggers has a level of its own. */
export function registerLogLevel(
  control: Control,
  nodeId: string,
  loggers: readonly { level: string }[],
): void {
  control.answer(LOG_LEVEL_QUESTION, (asked) => {
    const { level, node } = asked as { readonly level: string; readonly node: string | null };
    const isKnown = (PROCESS_LOG_LEVELS as readonly string[]).includes(level);
    if (!isKnown || (node !== null && node !== nodeId)) return undefined;
    for (const logger of loggers) logger.level = level;
    return true;
  });
}
