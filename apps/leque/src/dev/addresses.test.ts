import type { Server } from 'node:http';
import { expect, test } from 'vitest';
import { addressesOf } from './addresses.ts';

const server = { address: () => ({ port: 9001 }) } as unknown as Server;

test.each([
  [undefined, 'http://localhost:9001'],
  ['0.0.0.0', 'http://localhost:9001'],
  ['::', 'http://localhost:9001'],
  ['::1', 'http://[::1]:9001'],
  ['192.0.2.1', 'http://192.0.2.1:9001'],
  ['leque.example', 'http://leque.example:9001'],
])('with HOST=%s, programs on this machine reach the server at %s', (HOST, base) => {
  const addresses = addressesOf(server, HOST === undefined ? {} : { HOST });
  expect(addresses.base).toBe(base);
  expect(URL.canParse(addresses.base)).toBe(true);
});

test('a server on one address only names no address for other machines', () => {
  expect(addressesOf(server, {}).others).toEqual([]);
  expect(addressesOf(server, { HOST: '192.0.2.1' }).others).toEqual([]);
});
