import { expect, test } from 'vitest';
import { anonymous, Grants, SCOPES } from './grants.ts';

const member = new Grants({ userId: 'alice', projects: ['P', 'Q'], scopes: ['stats'] });
const everything = new Grants({ userId: 'bob', projects: ['*'], scopes: [] });
const nobody = new Grants({ userId: undefined, projects: [], scopes: [] });

test.each([
  ['all', true, true, true],
  ['logs', true, true, true],
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
])('[ISO] %s: for a member %s, with all projects %s, for nobody %s', (channel, ...expected) => {
  const covered = [member, everything, nobody].map((grants) => grants.covers(channel));
  expect(covered).toEqual(expected);
});

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

test("[ISO] in open mode a session without a token may receive everything but users' channels", () => {
  const { userId, grants, expiresAt } = anonymous();
  expect({ userId, expiresAt }).toEqual({ userId: undefined, expiresAt: undefined });
  expect(grants.covers('project:P')).toBe(true);
  expect(grants.covers('user:alice')).toBe(false);
  expect(grants.covers('user:undefined')).toBe(false);
  expect(SCOPES.filter((scope) => grants.has(scope))).toEqual(['publish', 'stats']);
});
