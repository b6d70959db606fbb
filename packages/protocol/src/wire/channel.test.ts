import { expect, test } from 'vitest';
import { projectChannel, suggestChannel, tryParseChannel, userChannel } from './channel.ts';

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
  [`project:${'x'.repeat(257)}`, undefined],
  ['user:auth0%7C64f', { kind: 'user', id: 'auth0|64f' }],
  ['project:%7B%7D', { kind: 'project', id: '{}' }],
  ['project:a%25b', { kind: 'project', id: 'a%b' }],
  ['user:jos%C3%A9', { kind: 'user', id: 'josé' }],
  ['user:auth0|64f', undefined],
  ['user:auth0%7c64f', undefined],
  ['user:%61', undefined],
  ['user:a%20', { kind: 'user', id: 'a ' }],
  ['user:a%', undefined],
  ['user:a%2', undefined],
  ['user:%E9', undefined],
  ['user:%C0%AF', undefined],
  ['user:%00', undefined],
  ['user:%0A', undefined],
  ['project:%2A', undefined],
  ['project:*', undefined],
  ['user%3Aa', undefined],
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

test.each([
  ['user:auth0|64f', 'user:auth0%7C64f'],
  ['project:a b', 'project:a%20b'],
  ['user:50%', 'user:50%25'],
  ['user:auth0%7C64f', undefined],
  ['user:a', undefined],
  ['room:a b', undefined],
  ['user:*', undefined],
  ['user:', undefined],
  ['a b', undefined],
])('[CH.2] for %j the channel %j is suggested', (text, channel) => {
  expect(suggestChannel(text)).toBe(channel);
});
