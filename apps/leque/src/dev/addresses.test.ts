import type { Server } from 'node:http';
import { expect, test } from 'vitest';
import { addressesOf, listenPage, withPagesOfOperators } from './addresses.ts';

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

test('the page at the port for operators connects to the other port', () => {
  const base = 'http://localhost:9001';
  expect(listenPage(base, base)).toBe('http://localhost:9001/docs/listen');
  expect(listenPage('http://localhost:9200', base)).toBe(
    'http://localhost:9200/docs/listen#port=9001',
  );
});

test('pages at the port for operators may use the other port', () => {
  expect(withPagesOfOperators({ CORS_ORIGIN: 'https://a.test' }).CORS_ORIGIN).toBe(
    'https://a.test',
  );
  expect(withPagesOfOperators({ OPERATIONS_PORT: 9200 }).CORS_ORIGIN).toBe(
    'http://localhost:9200,http://127.0.0.1:9200',
  );
  const config = { CORS_ORIGIN: 'https://a.test', HOST: '192.0.2.1', OPERATIONS_PORT: 9200 };
  expect(withPagesOfOperators(config).CORS_ORIGIN).toBe('https://a.test,http://192.0.2.1:9200');
});
