import { expect, test } from 'vitest';
import { isId, projectChannel, tryParseChannel, userChannel } from './channel.ts';

test.each([
  ['PROJ-001', true],
  ['a', true],
  ['user@example.org', true],
  ['a.b_c-d:e+f', true],
  ['x'.repeat(128), true],
  ['x'.repeat(129), false],
  ['', false],
  ['a b', false],
  ['a/b', false],
  ['a{b}', false],
  ['*', false],
  ['a\n', false],
  ['ação', false],
])('[ID] whether %j is an id: %s', (id, valid) => {
  expect(isId(id)).toBe(valid);
});

test.each([
  ['all', { kind: 'all', id: '' }],
  ['logs', { kind: 'logs', id: '' }],
  ['firehose', { kind: 'firehose', id: '' }],
  ['project:PROJ-001', { kind: 'project', id: 'PROJ-001' }],
  ['user:a:b', { kind: 'user', id: 'a:b' }],
  ['project:', undefined],
  ['project', undefined],
  ['room:1', undefined],
  ['Project:1', undefined],
  ['all:1', undefined],
  ['project:a b', undefined],
  [`project:${'x'.repeat(129)}`, undefined],
  ['', undefined],
  [':', undefined],
  ['constructor:x', undefined],
])('[CH] %j is parsed as %j', (channel, parsed) => {
  expect(tryParseChannel(channel)).toEqual(parsed);
});

test('[CH] parsing a channel gives the id from which it was made', () => {
  for (const id of ['P', 'project:P', 'user:user:']) {
    expect(tryParseChannel(projectChannel(id))).toEqual({ kind: 'project', id });
    expect(tryParseChannel(userChannel(id))).toEqual({ kind: 'user', id });
  }
});
