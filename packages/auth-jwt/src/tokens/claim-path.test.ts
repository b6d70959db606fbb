import { expect, test } from 'vitest';
import { findClaim, tryReadList } from './claim-path.ts';

const claims = {
  projects: ['own'],
  'https://app.example.org/projects': ['namespaced'],
  'custom:projects': '["cognito"]',
  'a.b': { c: 'dotted name' },
  a: { b: { c: 'nested', d: 'only nested' }, 'b.d.e': 'deep name' },
  realm_access: { roles: ['keycloak'] },
  app_metadata: { leque: { projects: 'supabase' } },
  nothing: null,
  text: 'abc',
  list: [{ x: 1 }],
};

test.each([
  ['projects', ['own']],
  ['https://app.example.org/projects', ['namespaced']],
  ['custom:projects', '["cognito"]'],
  ['realm_access.roles', ['keycloak']],
  ['app_metadata.leque.projects', 'supabase'],
  ['a.b.c', 'dotted name'],
  ['a.b.d', 'only nested'],
  ['a.b.d.e', 'deep name'],
  ['nothing', undefined],
  ['missing', undefined],
  ['realm_access.missing', undefined],
  ['text.length', undefined],
  ['list.0', undefined],
  ['constructor', undefined],
  ['realm_access.constructor.name', undefined],
  ['__proto__.x', undefined],
  ['.projects', undefined],
  ['projects.', undefined],
  ['', undefined],
])('the claim %j is %j', (path, value) => {
  expect(findClaim(claims, path)).toEqual(value);
});

test.each([
  [
    ['P1', 7],
    ['P1', 7],
  ],
  ['P1', ['P1']],
  ['P1 P2', ['P1', 'P2']],
  [' P1,  P2,\tP3 ', ['P1', 'P2', 'P3']],
  ['["P1","P 2",7]', ['P1', 'P 2', 7]],
  ['*', ['*']],
  ['', []],
  ['[]', []],
  ['["P1"', undefined],
  ['[P1]', undefined],
  [7, undefined],
  [{ P1: true }, undefined],
  [true, undefined],
])('as a list, %j is %j', (claim, list) => {
  expect(tryReadList(claim)).toEqual(list);
});
