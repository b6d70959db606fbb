import { expect, test } from 'vitest';
import { isOriginAllowed } from './origin-policy.ts';

const strict = { allowed: ['https://app.test', 'http://localhost:3000'], loopback: false };
const open = { allowed: [], loopback: true };
const any = { allowed: ['*'], loopback: false };
const host = 'leque.test:9001';

test.each<[origin: string | undefined, allowed: boolean, why: string]>([
  [undefined, true, 'no page at all'],
  ['https://app.test', true, 'listed'],
  ['http://localhost:3000', true, 'listed'],
  ['http://leque.test:9001', true, 'the same host'],
  ['https://leque.test:9001', true, 'the same host behind TLS'],
  ['http://leque.test', false, 'another port'],
  ['http://app.test', false, 'another scheme'],
  ['https://app.test:444', false, 'another port'],
  ['https://app.test.evil.test', false, 'a longer name'],
  ['https://evil.test', false, 'another host'],
  ['http://localhost:3001', false, 'another port'],
  ['null', false, 'a file or a sandbox'],
  ['', false, 'nothing'],
  ['app.test', false, 'no scheme'],
])('an origin of %s is allowed: %s (%s)', (origin, allowed) => {
  expect(isOriginAllowed(strict, origin, host)).toBe(allowed);
  expect(isOriginAllowed(any, origin, host)).toBe(true);
});

test.each([
  ['http://localhost:5173', true],
  ['http://127.0.0.1:5173', true],
  ['http://127.9.9.9', true],
  ['http://[::1]:5173', true],
  ['https://localhost', true],
  ['http://localhost.evil.test', false],
  ['http://127.0.0.1.evil.test', false],
  ['http://evil.test', false],
  ['null', false],
])('in open mode an origin of %s is allowed: %s', (origin, allowed) => {
  expect(isOriginAllowed(open, origin, host)).toBe(allowed);
});

test('without a host header only the list decides', () => {
  expect(isOriginAllowed(strict, 'http://leque.test:9001', undefined)).toBe(false);
});
