import { expect, test } from 'vitest';
import { redirectionOf } from './redis-errors.ts';

function reply(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}

test.for([
  ['MOVED 3999 127.0.0.1:6381', { kind: 'MOVED', address: '127.0.0.1:6381' }],
  ['ASK 3999 redis-2.example.org:6381', { kind: 'ASK', address: 'redis-2.example.org:6381' }],
  ['MOVED 3999 ::1:6381', { kind: 'MOVED', address: '::1:6381' }],
  ['MOVED 3999 :6381', { kind: 'MOVED', address: ':6381' }],
  ['TRYAGAIN leque: this is moving to another master: k', { kind: 'TRYAGAIN' }],
  ['ERR leque: data is required', undefined],
  ['MOVEDED 3999 127.0.0.1:6381', undefined],
] as const)('%s', ([message, redirection]) => {
  expect(redirectionOf(reply(message))).toEqual(redirection);
});

test('an error that is no reply of Redis is no redirection', () => {
  expect(redirectionOf(new Error('MOVED 3999 127.0.0.1:6381'))).toBeUndefined();
});
