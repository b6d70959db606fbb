import { Type } from 'typebox';
import { Id } from '../wire/channel.ts';
import { FORBIDDEN_NAMES, SERVER_MESSAGES, SOCKET_EVENTS } from '../wire/server-messages.ts';

const Text = Type.String();
const RequiredText = Type.String({ minLength: 1 });
const Ref = Type.String({ minLength: 1, maxLength: 128 });
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
 * required. Other fields pass through, and so do events of types that are not listed. The fields
 * that `ADDRESS_FIELDS` lists say whom an event is for, so a schema must not name one that means
 * something else, such as the author.
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

/** Types that are refused, because publishing them would forge messages of the server. */
export const RESERVED_TYPES: ReadonlySet<string> = new Set(
  [...SERVER_MESSAGES, ...SOCKET_EVENTS, ...FORBIDDEN_NAMES].filter(
    (name) => !Object.hasOwn(EVENT_DATA, name),
  ),
);
