import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { accepted, problems, RULES } from '../../test/support/parsed-event.ts';
import { ERRORS } from '../wire/errors.ts';
import { EVENT_ADDRESSES } from './addressing.ts';
import { tryParseEvent } from './event.ts';
import { EVENT_DATA } from './event-types.ts';

const REFUSING = { ...RULES, unaddressed: 'refuse' } as const;
const task = { taskId: 't', userId: 'demo', agentId: 'a' };
const created = { type: 'task.created', data: task };
const story = { type: 'story_created', data: { story_id: 'S', title: 'T', project_id: 'P' } };
const moved = { type: 'story_moved', data: { story_id: 'S', to: 'done', project_id: 'P' } };
const notice = { type: 'notification', data: { title: 'T', message: 'M', user_id: 'u' } };
const tick = { type: 'tick', data: { user_id: 'u', project_id: 'P', userId: 'u' } };

describe('an event goes to whom it names', () => {
  test.each([
    [created, 'user:demo'],
    [{ ...created, user_id: 'demo' }, 'user:demo'],
    [{ ...created, user_id: null, channel: null }, 'user:demo'],
    [{ ...created, project_id: 'P' }, 'project:P'],
    [{ ...created, channel: 'project:P' }, 'project:P'],
    [{ type: 'task.archived', data: { userId: 'demo' } }, 'user:demo'],
    [story, 'project:P'],
    [{ ...story, user_id: 'u' }, 'user:u'],
    [{ ...story, channel: 'all' }, 'all'],
    [moved, 'project:P'],
    [notice, 'user:u'],
    [{ ...notice, data: { ...notice.data, project_id: 'P' } }, 'user:u'],
  ])('[RT.1] %j goes to %s', (event, channel) => {
    const parsed = accepted(event);
    expect(parsed.channel).toBe(channel);
    expect(parsed.unaddressed).toBeUndefined();
  });

  test('[RT.1] [EV4.2] the id that routed the event is in its envelope', () => {
    expect(accepted(created).sent).toMatchObject({ user_id: 'demo', data: task });
    expect(accepted(story).sent).toMatchObject({ project_id: 'P', data: story.data });
  });

  test('[RT.1] every field of a schema with a name that addresses an event does so', () => {
    const names = ['userId', 'user_id', 'project_id'];
    for (const [type, { properties }] of Object.entries(EVENT_DATA)) {
      const addresses = EVENT_ADDRESSES.get(type)?.map(({ name }) => name);
      expect([type, addresses]).toEqual([
        type,
        names.filter((name) => Object.hasOwn(properties, name)),
      ]);
    }
  });
});

describe('an event that contradicts itself is refused', () => {
  test.each([
    [{ ...created, user_id: 'other' }, 'data.userId: differs from user_id'],
    [{ ...created, channel: 'user:other' }, 'data.userId: differs from user_id'],
    [{ ...created, channel: 'project:P', user_id: 'x' }, 'data.userId: differs from user_id'],
    [{ ...story, project_id: 'Q' }, 'data.project_id: differs from project_id'],
    [{ ...story, channel: 'project:Q' }, 'data.project_id: differs from project_id'],
    [{ ...moved, project_id: 'Q' }, 'data.project_id: differs from project_id'],
    [{ ...notice, user_id: 'v' }, 'data.user_id: differs from user_id'],
    [{ ...tick, channel: 'user:u', user_id: 'v' }, 'user_id: differs from the id in channel'],
    [
      { ...tick, channel: 'project:P', project_id: 'Q' },
      'project_id: differs from the id in channel',
    ],
    [{ ...created, channel: 'all' }, 'channel: must not be all for task.*'],
    [{ ...created, channel: 'all', user_id: 'demo' }, 'channel: must not be all for task.*'],
    [{ ...created, channel: 'logs' }, 'channel: must not be logs for task.*'],
    [{ type: 'task.archived', data: {}, channel: 'all' }, 'channel: must not be all for task.*'],
    [{ type: 'task.archived', data: {} }, 'user_id: is required, because task.* is for one user'],
    [
      { type: 'task.archived', data: { userId: 'a\nb' } },
      'user_id: is required, because task.* is for one user',
    ],
  ])('[RT.2] [RT.3] %j: %s', (event, problem) => {
    expect(problems(event)).toEqual([problem]);
  });

  test('[RT.1] an id of a known type that cannot be a channel is refused', () => {
    const event = { ...created, data: { ...task, userId: 'a\nb' } };
    expect(problems(event)).toEqual([expect.stringMatching(/^data\.userId: must be /)]);
  });
});

describe('an event that names nobody', () => {
  test.each([
    tick,
    { ...tick, story_id: 'S' },
    { type: 'story_moved', data: { story_id: 'S', to: 'x' } },
  ])('[RT.4] %j goes to everybody where that is allowed, and is refused elsewhere', (event) => {
    expect(accepted(event)).toMatchObject({ channel: 'all', unaddressed: true });
    expect(tryParseEvent(event, REFUSING)).toMatchObject({
      ok: false,
      problems: [{ field: 'channel' }],
    });
    const said = tryParseEvent({ ...event, channel: 'all' }, REFUSING);
    expect(said).toMatchObject({ ok: true, event: { channel: 'all' } });
  });
});

test('[RT] [ISO] whatever an event says, a known id in its data is never sent past its owner', () => {
  const id = fc.constantFrom('a', 'b', 'c');
  const maybe = fc.option(id, { nil: undefined });
  const channel = fc.option(
    fc.constantFrom('all', 'logs', 'user:a', 'user:b', 'project:a', 'project:b'),
    { nil: undefined },
  );
  const events = fc.record({ user_id: maybe, project_id: maybe, channel, userId: id });
  const rules = fc.record({
    unaddressed: fc.constantFrom('all' as const, 'refuse' as const),
    schemas: fc.constantFrom('warn' as const, 'strict' as const, 'off' as const),
  });
  fc.assert(
    fc.property(events, rules, ({ userId, ...event }, rule) => {
      const sent = { ...created, ...event, data: { ...task, userId } };
      const parsed = tryParseEvent(JSON.parse(JSON.stringify(sent)), rule);
      if (!parsed.ok) return;
      const [kind, routed] = parsed.event.channel.split(':');
      expect(kind === 'user' ? routed : kind).toBe(kind === 'user' ? userId : 'project');
    }),
    { numRuns: 2_000 },
  );
});

test.each([...Object.keys(ERRORS), 4001, 1013, '4003'])(
  '[EV2.1] an event of type error cannot have the code %s of the server',
  (code) => {
    const event = { type: 'error', channel: 'all', data: { message: 'm', code } };
    expect(problems(event)).toEqual(['data.code: is reserved for errors of the server']);
  },
);

test.each(['QUEUE_STALLED', 500, undefined])(
  '[EV2.1] an event of type error may have the code %s',
  (code) => {
    const data = { message: 'm', ...(code !== undefined && { code }) };
    expect(accepted({ type: 'error', channel: 'all', data }).type).toBe('error');
  },
);
