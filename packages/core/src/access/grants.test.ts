import { describe, expect, test } from 'vitest';
import { anonymous, Grants, mayHear, RoomRights, SCOPES } from './grants.ts';

const member = new Grants({ userId: 'alice', projects: ['P', 'Q'], scopes: ['stats', 'logs'] });
const everything = new Grants({ userId: 'bob', projects: ['*'], scopes: [] });
const nobody = new Grants({ userId: undefined, projects: [], scopes: [] });

test.each([
  ['all', true, true, true],
  ['logs', true, false, false],
  ['project:P', true, true, false],
  ['project:R', false, true, false],
  ['project:*', false, false, false],
  ['user:alice', true, false, false],
  ['user:bob', false, true, false],
  ['user:undefined', false, false, false],
  ['user:', false, false, false],
  ['firehose', false, true, false],
  ['project:', false, false, false],
  ['project:a b', false, false, false],
  ['nowhere', false, false, false],
  ['', false, false, false],
])(
  '[RD1] [ISO] %s: for a member %s, with all projects %s, for nobody %s',
  (channel, ...expected) => {
    const covered = [member, everything, nobody].map((grants) => grants.covers(channel));
    expect(covered).toEqual(expected);
  },
);

test('grants list projects that are named, but not all projects', () => {
  expect(member.projects).toEqual(['P', 'Q']);
  expect(member.allProjects).toBe(false);
  expect(everything.projects).toEqual([]);
  expect(everything.allProjects).toBe(true);
});

test('admin includes every scope; other scopes include only themselves', () => {
  const admin = new Grants({ userId: 'root', projects: [], scopes: ['admin'] });
  expect([member.has('stats'), member.has('publish'), member.has('admin')]).toEqual([
    true,
    false,
    false,
  ]);
  expect([admin.has('stats'), admin.has('publish'), admin.has('admin')]).toEqual([
    true,
    true,
    true,
  ]);
});

test("[RD1.2] [ISO] in open mode a session without a token may receive everything but users' channels", () => {
  const { userId, grants, expiresAt } = anonymous();
  expect({ userId, expiresAt }).toEqual({ userId: undefined, expiresAt: undefined });
  expect(grants.covers('project:P')).toBe(true);
  expect(grants.covers('user:alice')).toBe(false);
  expect(grants.covers('user:undefined')).toBe(false);
  expect(SCOPES.filter((scope) => grants.has(scope))).toEqual([
    'publish',
    'publish:all',
    'grant',
    'stats',
    'logs',
  ]);
});

const publisher = new Grants({ userId: 'alice', projects: ['P'], scopes: ['publish'] });
const ofEveryProject = new Grants({ userId: undefined, projects: ['*'], scopes: ['publish'] });
const service = new Grants({ userId: undefined, projects: [], scopes: ['publish:all'] });

test.each([
  ['project:P', true, true, true],
  ['project:Q', false, true, true],
  ['user:alice', true, false, true],
  ['user:bob', false, false, true],
  ['user:undefined', false, false, true],
  ['all', false, false, true],
  ['logs', false, false, true],
])(
  '[PU1] [ISO] %s: a publisher of one project %s, of every project %s, of everything %s',
  (channel, ...expected) => {
    const may = [publisher, ofEveryProject, service].map((grants) => grants.mayPublish(channel));
    expect(may).toEqual(expected);
    expect(
      new Grants({ userId: 'alice', projects: ['P', '*'], scopes: ['stats'] }).mayPublish(channel),
    ).toBe(false);
    expect(
      new Grants({ userId: 'root', projects: [], scopes: ['admin'] }).mayPublish(channel),
    ).toBe(true);
    expect(anonymous().grants.mayPublish(channel)).toBe(true);
  },
);

test('publish:all includes publish, and not the other way round', () => {
  expect(service.has('publish')).toBe(true);
  expect(publisher.has('publish:all')).toBe(false);
  expect(service.covers('all')).toBe(true);
  expect(service.covers('user:alice')).toBe(false);
});

describe('the rooms of grants', () => {
  const grant = (projects: string[], expiresAt = 1_000, userId = 'alice') => ({
    userId,
    projects,
    expiresAt,
    notBefore: undefined,
  });
  const unused = () => false;
  const alice = { userId: 'alice', grants: nobody, expiresAt: undefined };

  test('[ISO] add to the token the projects that they name, and nothing else', () => {
    const rooms = new RoomRights('alice', 10);
    rooms.add(grant(['P', 'a/b']), unused);
    const heard = [
      'project:P',
      'project:a%2Fb',
      'project:Q',
      'project:*',
      'user:P',
      'logs',
      'firehose',
    ];
    expect(heard.filter((channel) => mayHear({ identity: alice, rooms }, channel))).toEqual([
      'project:P',
      'project:a%2Fb',
    ]);
    expect(mayHear({ identity: alice, rooms: undefined }, 'project:P')).toBe(false);
  });

  test.each([
    ['of another user', 'alice', grant(['P'], 1_000, 'bob')],
    ['for a session without a user', undefined, grant(['P'])],
    ['for all projects', 'alice', grant(['*'])],
  ])('[ISO] a grant %s is refused', (_, userId, wrong) => {
    const rooms = new RoomRights(userId, 10);
    expect(() => rooms.add(wrong, unused)).toThrow(expect.objectContaining({ code: 'forbidden' }));
    expect(rooms.covers('project:P')).toBe(false);
  });

  test('end each at its own time, those of several grants with the last one', () => {
    const rooms = new RoomRights('alice', 10);
    rooms.add(grant(['P'], 2_000), unused);
    rooms.add(grant(['P', 'Q'], 1_000), unused);
    expect(rooms.nextEnd).toBe(1_000);
    rooms.expire(1_000);
    expect(['project:P', 'project:Q'].map((channel) => rooms.covers(channel))).toEqual([
      true,
      false,
    ]);
    rooms.expire(2_000);
    expect(rooms.nextEnd).toBeUndefined();
  });

  test('[MEM] are bounded: the oldest that is not in use makes room, and one too many is refused', () => {
    const rooms = new RoomRights('alice', 2);
    const isP = (id: string) => id === 'P';
    rooms.add(grant(['P', 'Q']), isP);
    rooms.add(grant(['R']), isP);
    const covered = ['P', 'Q', 'R'].filter((id) => rooms.covers(`project:${id}`));
    expect(covered).toEqual(['P', 'R']);
    expect(() => rooms.add(grant(['S', 'T']), isP)).toThrow(/at most 2 projects/);
    expect(rooms.covers('project:S')).toBe(false);
  });
});
