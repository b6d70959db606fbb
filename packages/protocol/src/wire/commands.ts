import { type Static, type TObject, Type } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { Id } from './channel.ts';
import { ProtocolError } from './errors.ts';
import { describeProblems, findProblems } from './problems.ts';

/** An `id` that the client chooses for a command, and that the answer repeats. */
const RequestId = Type.Optional(
  Type.Union([Type.String({ maxLength: 128 }), Type.Number()], {
    description: 'a text of up to 128 characters, or a number',
  }),
);
const CursorText = Type.String({ minLength: 1, maxLength: 64 });
const Token = Type.String({ minLength: 1, maxLength: 8192 });
const command = <T extends Record<string, object>>(fields: T) =>
  Type.Object({ ...fields, id: RequestId });

/** The most cursors in one resume: as many as a session may have channels. */
export const MAX_CURSORS = 512;

/** The commands of raw clients, by `action`. Fields that a schema does not name are ignored. */
export const COMMANDS = {
  ping: command({}),
  subscribe: command({ project_id: Id, since: Type.Optional(CursorText) }),
  unsubscribe: command({ project_id: Id }),
  stats: command({}),
  resume: command({
    cursors: Type.Record(Type.String(), CursorText, { maxProperties: MAX_CURSORS }),
  }),
  auth: command({ token: Token }),
} as const satisfies Record<string, TObject>;

export type Action = keyof typeof COMMANDS;
export type Command<A extends Action = Action> = Static<(typeof COMMANDS)[A]>;
export type RequestId = string | number | undefined;

const validators = new Map<string, Validator>(
  Object.entries(COMMANDS).map(([action, schema]) => [action, Compile(schema)]),
);

/**
 * Reads one text frame: the bare word `ping`, or an object whose `action` (or `type`) names a
 * command.
 * @throws ProtocolError that names the problem
 */
export function parseCommand(text: string): { action: Action; command: Command } {
  if (text.trim() === 'ping') return { action: 'ping', command: {} };
  const input = parseObject(text);
  const action = input['action'] ?? input['type'];
  if (typeof action !== 'string' || !validators.has(action)) {
    const known = Object.keys(COMMANDS).join(', ');
    throw new ProtocolError('unknown_action', `unknown action; known are ${known}`);
  }
  return { action: action as Action, command: checkCommand(action as Action, input) };
}

/**
 * Checks the fields of one command, whichever transport brought it.
 * @throws ProtocolError that names the field
 */
export function checkCommand<A extends Action>(action: A, input: unknown): Command<A> {
  const validator = validators.get(action) as Validator;
  const problems = findProblems(COMMANDS[action], validator, input);
  if (problems.length > 0) throw new ProtocolError('invalid_command', describeProblems(problems));
  return input as Command<A>;
}

/** The `id` of a command, also of a wrong one, so that the client can match the error to it. */
export function requestIdOf(text: string): RequestId {
  try {
    const { id } = parseObject(text);
    return typeof id === 'string' || typeof id === 'number' ? id : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a text that is not a valid command seems to present cursors (RE4.7). */
export function bringsCursors(text: string): boolean {
  try {
    const input = parseObject(text);
    return (
      (input['action'] ?? input['type']) === 'resume' || 'cursors' in input || 'since' in input
    );
  } catch {
    return /"(?:resume|cursors|since)"/.test(text);
  }
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError('invalid_json', 'neither "ping" nor JSON', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProtocolError('invalid_command', 'a command is a JSON object');
  }
  return value as Record<string, unknown>;
}
