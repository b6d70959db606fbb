import { tryParseChannel } from '@leque/protocol';
import { expect, test } from 'vitest';
import { doubtAbout, tokenForChannel, tokenForScope } from './token-to-make.ts';

test.each([
  ['user:alice', '--user alice'],
  ['user:auth0%7C64f0', "--user 'auth0|64f0'"],
  ['user:a%27b', String.raw`--user 'a'\''b'`],
  ['project:PROJ-001', '--user ops --projects PROJ-001'],
  ['project:a%2Cb', `--user ops --projects '["a,b"]'`],
  ['logs', '--user ops --scope logs'],
  ['all', '--user ops'],
])('the token for %s is made with %s', (channel, args) => {
  expect(tokenForChannel(tryParseChannel(channel))).toBe(`--token "$(leque token ${args})"`);
});

test.each([
  ['publish', 'publish:all'],
  ['stats', 'stats'],
])('the token for the scope %s has %s', (scope, needed) => {
  expect(tokenForScope(scope)).toContain(`--scope ${needed})`);
});

test.each([
  ['auth0%7C64f0', true],
  ['a%2fb', true],
  ['auth0|64f0', false],
  ['100%', false],
  ['50% off', false],
])('whether the id %s is doubted: %s', (id, isDoubted) => {
  expect(doubtAbout('--user', id) !== undefined).toBe(isDoubted);
});
