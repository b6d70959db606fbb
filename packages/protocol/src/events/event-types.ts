import { Type } from 'typebox';
import { Id, Ref } from '../wire/id.ts';
import {
  FORBIDDEN_NAMES,
  SERVER_MESSAGES,
  type ServerMessage,
  SHARED_NAMES,
  SOCKET_EVENTS,
} from '../wire/server-messages.ts';

const Text = Type.String();
const RequiredText = Type.String({ minLength: 1 });
const Progress = Type.Number({ minimum: 0, maximum: 100 });
const optional = Type.Optional;

export const LOG_LEVELS = ['debug', 'info', 'warning', 'error', 'critical'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
const Level = Type.Enum([...LOG_LEVELS]);

const inProject = { project_id: optional(Id) };
const story = { story_id: Ref, ...inProject };
const task = { task_id: Ref, ...inProject };
const job = { job_id: Ref, status: optional(Text), ...inProject };

/** Tasks of the Socket.IO contract; fields beyond these pass through. */
const userTask = {
  taskId: Ref,
  userId: Id,
  agentId: Ref,
  status: optional(Text),
  updatedAt: optional(Text),
};
const endedTask = { ...userTask, completedAt: optional(Text) };

/**
 * The `data` of each known event type. Ids and fields without which the event is useless are
 * required. Other fields pass through, and so do events of types that are not listed. `SchemaPolicy`
 * says what becomes of an event that does not fit. `userId`, `user_id` and `project_id` say whom an
 * event is for, so a schema must not name one that means something else, such as the author.
 */
export const EVENT_DATA = {
  story_created: Type.Object({ story_id: Ref, title: RequiredText, project_id: Id }),
  story_updated: Type.Object({ ...story, title: optional(Text) }),
  story_moved: Type.Object({ ...story, title: optional(Text), to: RequiredText }),
  story_deleted: Type.Object(story),

  task_created: Type.Object({ ...task, title: RequiredText, story_id: Ref }),
  task_updated: Type.Object({ ...task, title: optional(Text), progress: optional(Progress) }),
  task_completed: Type.Object({ ...task, title: optional(Text), story_id: Ref }),
  task_deleted: Type.Object(task),

  chat_message: Type.Object({ preview: Text, project_id: Id, story_id: Ref }),

  job_started: Type.Object(job),
  job_progress: Type.Object({ ...job, progress: Progress, output: optional(Text) }),
  job_completed: Type.Object(job),
  job_failed: Type.Object({ ...job, error: RequiredText }),

  notification: Type.Object({
    title: RequiredText,
    message: RequiredText,
    level: optional(Text),
    user_id: optional(Id),
    ...inProject,
  }),
  error: Type.Object({
    message: RequiredText,
    code: optional(
      Type.Union([Type.String(), Type.Number()], { description: 'a text or a number' }),
    ),
  }),
  log_message: Type.Object({ level: Level, message: Text, source: optional(Text) }),

  'task.created': Type.Object({
    ...userTask,
    priority: optional(Text),
    prompt: optional(Text),
    createdAt: optional(Text),
  }),
  'task.processing': Type.Object(userTask),
  'task.completed': Type.Object({
    ...endedTask,
    response: optional(Text),
    tokensUsed: optional(Type.Integer({ minimum: 0 })),
    executionTimeMs: optional(Type.Number({ minimum: 0 })),
  }),
  'task.failed': Type.Object({
    ...endedTask,
    error: RequiredText,
    retryCount: optional(Type.Integer({ minimum: 0 })),
  }),
  'task.cancelled': Type.Object(userTask),
} as const;

/** Properties of a type, beside the schema of its `data`. */
interface EventTraits {
  /** `user`: events are for one user, whom `userId` in `data` may name, and never for `all` or `logs`. */
  readonly audience?: 'user';
  /** Name under which Socket.IO clients get the event a second time. */
  readonly repeatedAs?: ServerMessage;
}
type KnownType = keyof typeof EVENT_DATA;

/** By type or family: `task.*` stands for all types that begin with `task.`, known or not. */
const EVENT_TRAITS = {
  'task.*': { audience: 'user', repeatedAs: 'task.event' },
} as const satisfies Partial<Record<KnownType | `${string}.*`, EventTraits>>;
const TRAITS: ReadonlyMap<string, EventTraits> = new Map(Object.entries(EVENT_TRAITS));

/** The types and families that are for one user. */
export const USER_TYPES: ReadonlySet<string> = new Set(
  [...TRAITS].filter(([, { audience }]) => audience === 'user').map(([name]) => name),
);

/** The type itself, or its family, when events of this type are for one user; else undefined. */
export function userTypeOf(type: string): string | undefined {
  if (USER_TYPES.has(type)) return type;
  const family = familyOf(type);
  return family !== undefined && USER_TYPES.has(family) ? family : undefined;
}

/** The name under which Socket.IO clients get events of this type a second time. */
export function repeatedAs(type: string): ServerMessage | undefined {
  return (TRAITS.get(type) ?? TRAITS.get(familyOf(type) ?? type))?.repeatedAs;
}

/** The family of a type, such as `task.*`; undefined when its name has no dot. */
function familyOf(type: string): string | undefined {
  const end = type.indexOf('.') + 1;
  return end === 0 ? undefined : `${type.slice(0, end)}*`;
}

/** Lists of reserved names, each with the reason for which they are refused. */
const RESERVED_NAMES: readonly (readonly [names: readonly string[], reason: string])[] = [
  [SERVER_MESSAGES, 'a message of the server to its clients has this name'],
  [SOCKET_EVENTS, 'Socket.IO gives this name to what happens to a socket'],
  [FORBIDDEN_NAMES, 'every object of JavaScript has a member of this name'],
];
const SHARED: ReadonlySet<string> = new Set(SHARED_NAMES);

/** Types that are refused, because they would break clients, and the reason of each. */
export const RESERVED_TYPES: ReadonlyMap<string, string> = new Map(
  RESERVED_NAMES.flatMap(([names, reason]) =>
    names.filter((name) => !SHARED.has(name)).map((name) => [name, reason] as const),
  ),
);
