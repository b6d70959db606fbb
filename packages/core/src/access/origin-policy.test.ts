import { expect, test } from 'vitest';
import { isHostAllowed, isOriginAllowed, originPolicyOf, originRule } from './origin-policy.ts';

const strict = {
  allowed: ['https://app.test', 'http://localhost:3000'],
  loopback: false,
  hosts: ['*'],
};
const open = { allowed: [], loopback: true, hosts: [] };
const any = { allowed: ['*'], loopback: false, hosts: ['*'] };
const host = ['leque.test:9001'];

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

test.each<[origin: string, host: string, isSame: boolean]>([
  ['https://shop.test', 'shop.test', true],
  ['https://shop.test', 'shop.test:443', true],
  ['http://shop.test', 'shop.test:80', true],
  ['https://shop.test', 'Shop.TEST', true],
  ['https://SHOP.test', 'shop.test', true],
  ['https://shop.test', 'shop.test.', true],
  ['https://shop.test.', 'shop.test', true],
  ['https://shop.test.:8443', 'shop.test:8443', true],
  ['http://[::1]:5173', '[::1]:5173', true],
  ['http://[::1]', '[0:0:0:0:0:0:0:1]:80', true],
  ['https://bücher.test', 'xn--bcher-kva.test', true],
  ['http://shop.test', 'shop.test:443', false],
  ['https://shop.test', 'shop.test:80', false],
  ['http://shop.test:8080', 'shop.test', false],
  ['http://shop.test:8080', '10.0.0.1:9001', false],
  ['https://shop.test', 'evil.test@shop.test', false],
  ['https://shop.test', 'shop.test/', false],
  ['https://shop.test', 'shop.test#', false],
  ['https://shop.test', 'shop.test evil', false],
  ['https://shop.test', '', false],
  ['https://shop.test/path', 'shop.test', false],
  ['https://user@shop.test', 'shop.test', false],
  ['https://shop.test?x', 'shop.test', false],
  ['null', 'null', false],
  ['file://', '', false],
])('a page of %s has the host %s: %s', (origin, name, isSame) => {
  expect(isOriginAllowed(strict, origin, [name])).toBe(isSame);
  expect(isOriginAllowed(strict, origin, ['other.test', name])).toBe(isSame);
});

test.each<[list: string, allowed: string[], refused: string[]]>([
  ['https://app.test/', ['https://app.test', 'https://app.test:443'], ['http://app.test']],
  ['https://App.TEST', ['https://app.test'], ['https://app.test:8443']],
  [
    'https://app.test:443, http://b.test:80',
    ['https://app.test', 'http://b.test'],
    ['http://b.test:81'],
  ],
  ['https://app.test.', ['https://app.test', 'https://app.test.'], ['https://app.test.evil.test']],
  [
    'https://*.app.test',
    ['https://a.app.test', 'https://a.b.app.test'],
    ['https://app.test', 'https://evilapp.test', 'http://a.app.test', 'https://a.app.test:8443'],
  ],
  ['https://*.app.test:8443', ['https://a.app.test:8443'], ['https://a.app.test']],
  ['capacitor://localhost', ['capacitor://localhost'], ['http://localhost', 'ionic://localhost']],
  ['tauri://localhost', ['tauri://localhost'], ['tauri://other']],
  ['chrome-extension://abcdef', ['chrome-extension://abcdef'], ['moz-extension://abcdef']],
  ['file://', ['file://'], ['null']],
  ['null', ['null'], ['file://']],
  ['*', ['null', 'file://', 'https://any.test', 'nonsense'], []],
  ['https://bücher.test', ['https://xn--bcher-kva.test'], ['https://bucher.test']],
  ['http://[::1]:5173', ['http://[::1]:5173'], ['http://[::1]']],
])('CORS_ORIGIN=%s', (list, allowed, refused) => {
  const variables = { CORS_ORIGIN: list, AUTH_MODE: 'required' } as const;
  expect(originRule(variables)).toEqual([]);
  const policy = originPolicyOf(variables);
  for (const origin of allowed) expect(isOriginAllowed(policy, origin, host), origin).toBe(true);
  for (const origin of refused) expect(isOriginAllowed(policy, origin, host), origin).toBe(false);
});

test.each([
  ['app.example.org', 'has no scheme; write https://app.example.org'],
  ['//app.example.org/', 'has no scheme; write https://app.example.org'],
  ['localhost:3000', 'has no scheme; write http://localhost:3000'],
  ['*.example.org', 'has no scheme; write https://*.example.org'],
  ['"https://a.org"', 'has quotes; write https://a.org'],
  ["'https://a.org'", 'has quotes; write https://a.org'],
  ['https://a.org;https://b.org', 'is not separated by commas; write https://a.org,https://b.org'],
  ['https://a.org https://b.org', 'is not separated by commas; write https://a.org,https://b.org'],
  ['https://a.org/app', 'is more than an origin; write https://a.org'],
  ['https://a.org?x=1', 'is more than an origin; write https://a.org'],
  ['https://user:pass@a.org', 'is more than an origin; write https://a.org'],
  ['wss://a.org', 'is not the origin of a page; write https://a.org'],
  ['ws://a.org:9001/ws', 'is not the origin of a page; write http://a.org:9001'],
  ['https://*', 'may have * only in place of all subdomains; write https://*.example.org'],
  ['https://*.org', 'may have * only in place of all subdomains; write https://*.example.org'],
  ['https://a.*.org', 'may have * only in place of all subdomains; write https://*.example.org'],
  ['http://localhost:*', 'may have * only in place of all subdomains; write https://*.example.org'],
  ['https://', 'is more than an origin; write https://app.example.org'],
])('CORS_ORIGIN=%s is refused: it %s', (list, problem) => {
  expect(originRule({ CORS_ORIGIN: `https://good.test,${list}` })).toEqual([
    `CORS_ORIGIN ${list} ${problem}`,
  ]);
});

test.each([
  ['https://leque.test', 'leque.test'],
  ['"leque.test"', 'leque.test'],
  ['*.leque.test', 'leque.test'],
  ['leque.test/path', 'leque.test'],
])('ALLOWED_HOSTS=%s is refused, and the sentence says to write %s', (list, name) => {
  expect(originRule({ ALLOWED_HOSTS: list })).toEqual([
    `ALLOWED_HOSTS ${list} is not a host name; write ${name}`,
  ]);
  expect(originRule({ ALLOWED_HOSTS: 'Leque.test., leque.test:9001,[::1],*' })).toEqual([]);
});

test('in open mode every name under which a client asks must be allowed', () => {
  const policy = originPolicyOf({ AUTH_MODE: 'open', ALLOWED_HOSTS: 'leque.test' });
  expect(isHostAllowed(policy, ['10.0.0.1:9001', 'leque.test'])).toBe(true);
  expect(isHostAllowed(policy, ['localhost', 'evil.test'])).toBe(false);
  expect(isHostAllowed(policy, ['evil.test', 'localhost'])).toBe(false);
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
  expect(isOriginAllowed(strict, 'http://leque.test:9001', [])).toBe(false);
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
  expect(isHostAllowed(policy, host === undefined ? [] : [host])).toBe(allowed);
});

test.each([
  [{ AUTH_MODE: 'required' }, true],
  [{ AUTH_MODE: 'open', ALLOWED_HOSTS: '*' }, true],
  [{ AUTH_MODE: 'open' }, false],
  [{ AUTH_MODE: 'required', ALLOWED_HOSTS: 'a.test, b.test' }, false],
] as const)('with %j a name of somebody else is allowed: %s', (variables, allowed) => {
  expect(isHostAllowed(originPolicyOf(variables), ['evil.test'])).toBe(allowed);
});
