import type { IncomingHttpHeaders } from 'node:http';
import { expect, test } from 'vitest';
import { keepsOffsets } from './offset-keepers.ts';

const NOW = Date.parse('2026-11-30T19:00:00Z');
const WHOLE_TIME = NOW.toString(36);
const WS = { 'sec-websocket-extensions': 'permessage-deflate; client_max_window_bits' };
const PAGE = {
  ...WS,
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64)',
  'cache-control': 'no-cache',
};
const NODE_XHR = { 'user-agent': 'node-XMLHttpRequest', accept: '*/*' };

test.each([
  ['3.1 on Node', 'EIO=4&transport=polling&t=Q8jrKVZ&b64=1', NODE_XHR],
  ['4.0 on Node', 'EIO=4&transport=polling&t=Q8jrLeZ&b64=1', NODE_XHR],
  ['4.5 in a page', 'EIO=4&transport=polling&t=Q8jr-_Z', PAGE],
  ['4.6, a second request in one millisecond', 'EIO=4&transport=polling&t=Q8jrLeZ.0', PAGE],
  ['4.8 on Node', 'EIO=4&transport=polling&t=n0grz5r6', NODE_XHR],
  ['4.8 on Node, by chance like a time', `EIO=4&transport=polling&t=${WHOLE_TIME}`, NODE_XHR],
  ['4.8 in a page', 'EIO=4&transport=polling&t=mwf6fb3v', PAGE],
  ['4.8 with `fetch`', 'EIO=4&transport=polling&t=n0i5q379', { 'user-agent': 'node' }],
  ['4.8, few random digits', 'EIO=4&transport=polling&t=n0grz5', PAGE],
  ['3.1 to 4.8 on Node by WebSocket', 'EIO=4&transport=websocket', WS],
  ['own parameters', 'token=T&EIO2=x&EIO=4&transport=websocket', WS],
  ['timestamps asked for', 'EIO=4&transport=websocket&t=mwf6fb3v', PAGE],
])('[IO8.16] the official client is recognised: %s', (_, query, headers) => {
  expect(keeps(query, headers)).toBe(true);
});

const DART = { ...WS, 'user-agent': 'Dart/3.5 (dart:io)', 'cache-control': 'no-cache' };
const PYTHON = { 'user-agent': 'python-requests/2.34.2', accept: '*/*' };
const OKHTTP = { 'user-agent': 'okhttp/3.12.12', 'accept-encoding': 'gzip' };

test.each([
  ['python-socketio 5', 'transport=polling&EIO=4&t=1796065293.5488808', PYTHON],
  ['python-socketio 5 by WebSocket', 'token=T&transport=websocket&EIO=4&t=1796065294.031701', {}],
  ['python-socketio 4', 'transport=polling&EIO=3&t=1796065294.629335', PYTHON],
  ['socket.io-client 2.5', 'EIO=3&transport=polling&t=Q8jrJjg&b64=1', NODE_XHR],
  ['socket.io-client 2.5 by WebSocket', 'EIO=3&transport=websocket', WS],
  ['Dart', `EIO=4&transport=polling&t=${WHOLE_TIME}`, { 'user-agent': 'Dart/3.5 (dart:io)' }],
  ['Dart by WebSocket', 'EIO=4&transport=websocket', DART],
  ['Dart with a name of its own', 'EIO=4&transport=websocket', { ...DART, 'user-agent': 'app' }],
  ['Dart without a name', 'EIO=4&transport=websocket', { ...WS, 'cache-control': 'no-cache' }],
  ['Flutter in a page', `EIO=4&transport=polling&t=${WHOLE_TIME}`, PAGE],
  ['Flutter in a page, an hour behind', `EIO=4&transport=polling&t=${later(-3_600_000)}`, PAGE],
  ['Flutter in a page, a day ahead', `EIO=4&transport=polling&t=${later(86_400_000)}`, PAGE],
  ['a page that begins with a WebSocket', 'EIO=4&transport=websocket', PAGE],
  ['Java', 'EIO=4&transport=polling', OKHTTP],
  ['Java by WebSocket', 'EIO=4&transport=websocket', OKHTTP],
  ['Java, own parameters', 'EIO=4&token=T&transport=websocket', OKHTTP],
  ['Swift', 'transport=polling&b64=1&EIO=4', {}],
  ['Swift by WebSocket', 'transport=websocket&token=T&EIO=4', {}],
  ['C++', 'EIO=4&transport=websocket&t=1796065293', {}],
  ['nothing known', '', {}],
])('[IO8.17] another client gets its events with one argument: %s', (_, query, headers) => {
  expect(keeps(query, headers)).toBe(false);
});

test.each([
  [{ recovery: true }, true],
  [{ recovery: 'true' }, true],
  [{ recovery: 1 }, false],
  [{ pid: 'p', offset: 'o' }, true],
  [{ pid: 'p', recovery: false }, false],
])('[IO8.16] any client asks for offsets by `auth`: %j gives %s', (auth, keepsThem) => {
  expect(keeps('transport=polling&EIO=4', PYTHON, auth)).toBe(keepsThem);
});

test('[IO8.17] an official client with `auth.recovery: false` gets no offsets', () => {
  expect(keeps('EIO=4&transport=websocket', WS, { recovery: false })).toBe(false);
});

function keeps(
  query: string,
  headers: IncomingHttpHeaders,
  auth: Record<string, unknown> = {},
): boolean {
  return keepsOffsets({ url: `/socket.io/?${query}`, headers, auth }, NOW);
}

function later(ms: number): string {
  return (NOW + ms).toString(36);
}
