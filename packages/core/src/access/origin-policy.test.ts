import { expect, test } from 'vitest';
import { isHostAllowed, isOriginAllowed, originPolicyOf } from './origin-policy.ts';

const strict = {
  allowed: ['https://app.test', 'http://localhost:3000'],
  loopback: false,
  hosts: ['*'],
};
const open = { allowed: [], loopback: true, hosts: [] };
const any = { allowed: ['*'], loopback: false, hosts: ['*'] };
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
  ['ftp://leque.test:9001', false, 'the same host with a scheme of no page'],
  ['ws://leque.test:9001', false, 'the same host with a scheme of no page'],
  ['chrome-extension://leque.test:9001', false, 'an extension of that name'],
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

test.each<[host: string | undefined, allowed: boolean, why: string]>([
  [undefined, true, 'no browser leaves it out'],
  ['localhost:9001', true, 'this machine'],
  ['127.0.0.1:9001', true, 'an address'],
  ['10.1.2.3', true, 'an address'],
  ['[::1]:9001', true, 'an address'],
  ['[fe80::1]', true, 'an address'],
  ['gateway-1:9001', true, 'a name of the local network only'],
  ['LEQUE.example.test:9001', true, 'listed'],
  ['leque.example.test.', true, 'listed'],
  ['evil.test', false, 'a name that anybody can point here'],
  ['evil.test:9001', false, 'a name that anybody can point here'],
  ['127.0.0.1.evil.test', false, 'a name that begins like an address'],
  ['localhost.evil.test', false, 'a name that begins like this machine'],
  ['1.2.3.4.5', false, 'no address'],
  ['leque.example.test@evil.test', false, 'no host name'],
  ['', false, 'nothing'],
])('in open mode clients may ask under the name %s: %s (%s)', (host, allowed) => {
  const policy = originPolicyOf({ AUTH_MODE: 'open', ALLOWED_HOSTS: 'Leque.example.test' });
  expect(isHostAllowed(policy, host)).toBe(allowed);
});

test.each([
  [{ AUTH_MODE: 'required' }, true],
  [{ AUTH_MODE: 'open', ALLOWED_HOSTS: '*' }, true],
  [{ AUTH_MODE: 'open' }, false],
  [{ AUTH_MODE: 'required', ALLOWED_HOSTS: 'a.test, b.test' }, false],
] as const)('with %j a name of somebody else is allowed: %s', (variables, allowed) => {
  expect(isHostAllowed(originPolicyOf(variables), 'evil.test')).toBe(allowed);
});
