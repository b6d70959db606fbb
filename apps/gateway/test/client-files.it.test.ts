import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { startGateway } from './support/gateway.ts';

test('pages find the official client beneath the path of Socket.IO', async () => {
  await using gateway = await startGateway();
  const ask = (name: string, init: RequestInit = {}) =>
    fetch(`${gateway.url}/socket.io/${name}`, init);
  const script = await ask('socket.io.js');
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  expect(script.headers.get('content-encoding')).toBe('gzip');
  expect(script.headers.get('access-control-allow-origin')).toBe('*');
  const page: { io?: unknown } = {};
  runInNewContext(await script.text(), { self: page, window: page, globalThis: page });
  expect(typeof page.io).toBe('function');

  for (const kind of ['', '.min', '.esm.min', '.msgpack.min']) {
    for (const end of ['', '.map', '?v=1']) {
      const { status } = await ask(`socket.io${kind}.js${end}`, { method: 'HEAD' });
      expect(status, kind + end).toBe(200);
    }
  }
  const etag = String(script.headers.get('etag'));
  expect(etag).toMatch(/^W\/"[\d.]+"$/); // the same with gzip and without
  expect((await ask('socket.io.js', { headers: { 'if-none-match': etag } })).status).toBe(304);
  const plain = await ask('socket.io.min.js', { headers: { 'accept-encoding': 'identity' } });
  expect(Number(plain.headers.get('content-length'))).toBe((await plain.text()).length);
  expect((await ask('socket.io.js', { method: 'POST' })).status).toBe(404);
  for (const name of [
    'socket.io.slim.js',
    '..%2fpackage.json',
    'socket.io.js/x',
    '../dist/index.js',
  ]) {
    expect((await ask(name)).status, name).toBe(404);
  }
});
