import { describe, expect, test } from 'vitest';
import { findUnknownVariables } from './unknown-variables.ts';

const KNOWN = [
  'PORT',
  'NODE_ID',
  'NODE_ENV',
  'REDIS_URL',
  'REDIS_KEY_PREFIX',
  'WEBSOCKET_TIMEOUT',
  'WEBSOCKET_MAX_CONNECTIONS',
  'JWT_SECRET',
  'JWT_ISSUER',
];

const find = (...names: string[]) =>
  findUnknownVariables(Object.fromEntries(names.map((name) => [name, 'x'])), KNOWN);

describe('findUnknownVariables', () => {
  test.each([
    ['JWT_SECRT', 'JWT_SECRET'],
    ['JWTSECRET', 'JWT_SECRET'],
    ['REDIS_URI', 'REDIS_URL'],
    ['WEBSOCKET_MAX_CONECTION', 'WEBSOCKET_MAX_CONNECTIONS'],
    ['jwt_secret', 'JWT_SECRET'],
  ])('reports %s as a misspelt %s', (name, meant) => {
    expect(find(name)).toEqual([{ name, meant }]);
  });

  test('reports a name that only has the first word of known names', () => {
    expect(find('WEBSOCKET_PING_PERIOD')).toEqual([{ name: 'WEBSOCKET_PING_PERIOD' }]);
  });

  test('ignores known names, foreign names, and what container engines add', () => {
    const foreign = ['PATH', 'HOME', 'SHELL', 'LANG', 'PWD', 'HOSTNAME', 'NODE_OPTIONS'];
    expect(find('PORT', ...foreign, 'REDIS_PORT', 'WEBSOCKET_PORT_80_TCP')).toEqual([]);
    expect(find('REDIS_SERVICE_HOST', 'WEBSOCKET_SERVICE_PORT_HTTP')).toEqual([]);
  });

  test('ignores a name that is near to one that is set', () => {
    expect(find('NODE_ID', 'NODE_IP')).toEqual([]);
  });
});
