import { Compile, type Validator } from 'typebox/compile';
import { LOGS } from '../wire/channel.ts';
import { CLOSE } from '../wire/close-codes.ts';
import { ERRORS } from '../wire/errors.ts';
import { findProblems, type Problem } from '../wire/problems.ts';
import { addressIdProblems } from './addressing.ts';
import { EVENT_DATA, LOG_LEVELS, type LogLevel } from './event-types.ts';

/**
 * An event whose `data` does not fit the schema of its type is stored with warnings, refused, or stored
 * without a warning.
 */
export type SchemaPolicy = 'warn' | 'strict' | 'off';

/** Codes of the server's own errors and closes, as text. No event of type `error` has them. */
export const RESERVED_CODES: ReadonlySet<string> = new Set(
  [...Object.keys(ERRORS), ...Object.values(CLOSE)].map(String),
);

/** How `data` fits the schema of its type. */
export interface SchemaVerdict {
  /** Reasons to refuse the event. */
  readonly problems: readonly Problem[];
  /** What the publisher is told about an event that is stored. */
  readonly warnings: readonly Problem[];
}

const NONE: readonly Problem[] = [];
/** Shared by all events without a schema, and by those that fit theirs. */
const FITS: SchemaVerdict = { problems: NONE, warnings: NONE };

const dataValidators = new Map<string, Validator>(
  Object.entries(EVENT_DATA).map(([type, schema]) => [type, Compile(schema)]),
);

/**
 * Checks `data` against the schema of its type. What decides who gets the event is checked under
 * every policy: the ids that may be addresses, and the level of what goes to `logs`.
 * @param route the channel that the event goes to; undefined when it names nobody
 */
export function judgeData(
  { type, route }: { readonly type: string; readonly route: string | undefined },
  data: object,
  policy: SchemaPolicy,
): SchemaVerdict {
  const validator = dataValidators.get(type);
  if (validator === undefined) return FITS;
  const misfits = policy === 'off' ? NONE : schemaProblems(type, data, validator);
  const refused = policy === 'strict' ? misfits : routingProblems(type, route, data);
  const problems = refused.length === 0 && type === 'error' ? codeProblems(data) : refused;
  if (problems.length === 0 && misfits.length === 0) return FITS;
  return { problems, warnings: misfits };
}

function schemaProblems(type: string, data: object, validator: Validator): readonly Problem[] {
  const schema = EVENT_DATA[type as keyof typeof EVENT_DATA];
  return findProblems(schema, validator, data).map(({ field, message }) => ({
    field: field ? `data.${field}` : 'data',
    message,
  }));
}

function routingProblems(
  type: string,
  route: string | undefined,
  data: { readonly level?: unknown },
): readonly Problem[] {
  const ofIds = addressIdProblems(type, data, route !== undefined);
  if (route !== LOGS || type !== 'log_message') return ofIds;
  if (LOG_LEVELS.includes(data.level as LogLevel)) return ofIds;
  return [...ofIds, { field: 'data.level', message: `must be one of ${LOG_LEVELS.join(', ')}` }];
}

/** The earlier system has events of type `error`; with a code of the server's they would forge an answer. */
function codeProblems(data: { readonly code?: unknown }): readonly Problem[] {
  if (!RESERVED_CODES.has(String(data.code))) return NONE;
  return [{ field: 'data.code', message: 'is reserved for errors of the server' }];
}
