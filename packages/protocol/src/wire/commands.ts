import { type Static, type TObject, Type } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { parseCommandText } from './command-text.ts';
import { ProtocolError } from './errors.ts';
import { Id } from './id.ts';
import { describeProblems, findProblems } from './problems.ts';

/** An `id` that the client chooses for a command, and that the answer repeats. */
const RequestId = Type.Optional(
  Type.Union([Type.String({ maxLength: 128 }), Type.Number()], {
    description: 'a text of up to 128 characters, or a number',
  }),
);
/** The longest token, in characters, wherever it is presented. */
export const MAX_TOKEN_LENGTH = 16_384;
const CursorText = Type.String({ minLength: 1, maxLength: 64 });
const Token = Type.String({ minLength: 1, maxLength: MAX_TOKEN_LENGTH });
const command = <T extends Record<string, object>>(fields: T) =>
  Type.Object({ ...fields, id: RequestId });

/** The most cursors in one resume, and projects in one command: as many as a session may have channels. */
export const MAX_CURSORS = 512;
/** The most grants in one command, for the same reason. */
export const MAX_GRANTS = 512;
const Since = Type.Optional(CursorText);
/** A grant has the form of a token, and its length. */
const Grant = Type.Optional(Token);
const Grants = Type.Optional(Type.Array(Token, { maxItems: MAX_GRANTS }));

const Cursors = Type.Record(Type.String(), CursorText, { maxProperties: MAX_CURSORS });

function projectList<F extends Record<string, object>>(fields: F) {
  const project = Type.Object({ project_id: Id, ...fields });
  return Type.Array(project, { minItems: 1, maxItems: MAX_CURSORS });
}

/** The commands of raw clients, by `action`. Fields that a schema does not name are ignored, and named in the answer. */
export const COMMANDS = {
  ping: command({}),
  subscribe: command({ project_id: Id, since: Since, grant: Grant }),
  unsubscribe: command({ project_id: Id }),
  stats: command({}),
  resume: command({ cursors: Cursors, grants: Grants }),
  auth: command({ token: Token, cursors: Type.Optional(Cursors), grants: Grants }),
  pong: command({}),
  'subscribe.projects': command({
    projects: projectList({ since: Since, grant: Grant }),
    grant: Grant,
  }),
  'unsubscribe.projects': command({ projects: projectList({}) }),
} as const satisfies Record<string, TObject>;

export type Action = keyof typeof COMMANDS;
/** A checked command, whose ids are texts. */
export type Command<A extends Action = Action> = A extends Action
  ? WithTextIds<Static<(typeof COMMANDS)[A]>>
  : never;
type WithTextIds<C> = {
  [F in keyof C]: F extends 'project_id'
    ? string
    : C[F] extends readonly (infer Item)[]
      ? WithTextIds<Item>[]
      : C[F];
};
export type RequestId = string | number | undefined;

/** An answer names at most this many ignored fields. */
const MAX_NAMES = 8;
const MAX_NAME_LENGTH = 32;
/** Members of every command; `action` may be called `type`. */
const COMMON: ReadonlySet<string> = new Set(['id', 'action', 'type']);
const UNSAFE = /[^\p{L}\p{N}_.:-]/gu;

interface ParsedCommand {
  readonly action: Action;
  readonly command: Command;
  readonly ignored: readonly string[];
}

const validators = new Map<string, Validator>(
  Object.entries(COMMANDS).map(([action, schema]) => [action, Compile(schema)]),
);

/**
 * Reads one text frame: the bare word `ping` or `pong`, or an object whose `action` (or `type`) names
 * a command. `ignored` are the names that the command does not know.
 * @throws ProtocolError that names the problem
 */
export function parseCommand(text: string): ParsedCommand {
  const input = parseCommandText(text);
  const action = actionOf(input);
  if (action === undefined) {
    const known = Object.keys(COMMANDS).join(', ');
    throw new ProtocolError('unknown_action', `unknown action; known are ${known}`);
  }
  if ('projects' in input && 'project_id' in input) {
    throw new ProtocolError('invalid_command', 'project_id and projects exclude each other');
  }
  const command = checkCommand(action, input);
  return { action, command, ignored: ignoredFields(COMMANDS[action], input) };
}

/**
 * The names in a checked command that its schema does not know, also in its `projects`: at most 8 of
 * them, each cut to 32 characters, with `?` in place of all but letters, digits and `_ . : -`.
 */
export function ignoredFields(schema: TObject, input: object): readonly string[] {
  const names = new Set<string>();
  addUnknown(names, schema, input);
  const { projects } = input as { readonly projects?: readonly object[] };
  const item = (schema.properties['projects'] as { readonly items?: TObject } | undefined)?.items;
  if (item !== undefined) for (const each of projects ?? []) addUnknown(names, item, each);
  return [...names];
}

function addUnknown(names: Set<string>, schema: TObject, input: object): void {
  for (const name in input) {
    if (names.size === MAX_NAMES) return;
    if (!COMMON.has(name) && !Object.hasOwn(schema.properties, name)) names.add(inert(name));
  }
}

function inert(name: string): string {
  const start = name.slice(0, 2 * MAX_NAME_LENGTH).replace(UNSAFE, '?');
  return [...start].slice(0, MAX_NAME_LENGTH).join('');
}

/** The action that an input names, in any letter case; with `projects` it is the one for several. */
function actionOf(input: Readonly<Record<string, unknown>>): Action | undefined {
  const given = input['action'] ?? input['type'];
  if (typeof given !== 'string') return undefined;
  const named = given.toLowerCase();
  const several = `${named}.projects`;
  const action = 'projects' in input && validators.has(several) ? several : named;
  return validators.has(action) ? (action as Action) : undefined;
}

/**
 * Checks the fields of one command, whichever transport brought it.
 * @throws ProtocolError that names the field
 */
export function checkCommand<A extends Action>(action: A, input: unknown): Command<A> {
  const validator = validators.get(action) as Validator;
  const problems = findProblems(COMMANDS[action], validator, input);
  if (problems.length > 0) throw new ProtocolError('invalid_command', describeProblems(problems));
  return withTextIds(input as Named) as Command<A>;
}

interface Named {
  readonly project_id?: Id;
  readonly projects?: readonly Named[];
}

/** The same command with texts in place of ids that are numbers. */
function withTextIds(command: Named): Named {
  const { project_id: id, projects } = command;
  if (projects !== undefined) return { ...command, projects: projects.map(withTextIds) };
  return typeof id === 'number' ? { ...command, project_id: String(id) } : command;
}

interface GrantBearer {
  readonly grant?: string;
  readonly grants?: readonly string[];
  readonly projects?: readonly { readonly grant?: string }[];
}

/** The grants that a checked command brings, for all its projects and for each; no grant twice. */
export function grantsOf({ grant, grants = [], projects = [] }: GrantBearer): readonly string[] {
  const given = [grant, ...grants, ...projects.map((project) => project.grant)];
  return [...new Set(given.filter((each) => each !== undefined))];
}

/** Whether a list of projects, which may be wrong, has a cursor for any of them. */
export function namesCursors(projects: unknown): boolean {
  return Array.isArray(projects) && projects.some((each) => each?.since !== undefined);
}

/** The `id` of a command, also of a wrong one, so that the client can match the error to it. */
export function requestIdOf(text: string): RequestId {
  try {
    const { id } = parseCommandText(text);
    return typeof id === 'string' || typeof id === 'number' ? id : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a text that is not a valid command seems to present cursors (RE4.7). */
export function bringsCursors(text: string): boolean {
  try {
    const input = parseCommandText(text);
    if (actionOf(input) === 'resume' || 'cursors' in input || 'since' in input) return true;
    return namesCursors(input['projects']);
  } catch {
    return /"(?:resume|cursors|since)"/.test(text);
  }
}
