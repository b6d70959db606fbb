import { Command } from 'commander';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { addApiOptions, openApi } from './api-client.ts';

type Env = Readonly<Record<string, string>>;
const KEY: Env = { PUBLISH_API_KEY: 'key' };
const TOKEN: Env = { LEQUE_TOKEN: 'token' };

function parse(args: readonly string[], env: Env = {}): Command {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const command = addApiOptions(new Command(), 'with any scope').exitOverride();
  return command.configureOutput({ writeErr: () => {} }).parse(args, { from: 'user' });
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('openApi', () => {
  test.each([
    ['the key', { ...KEY, ...TOKEN }, [], 'key', 'key'],
    ['the token where one is preferred', { ...KEY, ...TOKEN }, [], 'token', 'token'],
    ['the token when there is no key', TOKEN, [], 'key', 'token'],
    ['an option that is a token', KEY, ['--token', 'given'], 'key', 'given'],
    ['an option that is a key', TOKEN, ['--api-key', 'given'], 'token', 'given'],
    ['a token without the line end of its file', {}, ['--token', 'given\n'], 'token', 'given'],
    ['nothing', {}, [], 'key', undefined],
  ] as const)('presents %s', (...row) => {
    const [, env, args, preferred, credential] = row;
    const api = openApi(parse(args, env), preferred);
    expect(api).toMatchObject({ url: 'http://localhost:9001', credential });
  });

  test.each([
    ['http://leque:9001/', 'http://leque:9001'],
    ['HTTPS://leque.example.org/a/b/', 'https://leque.example.org/a/b'],
  ])('takes %s as %s, from the option and from the environment', (url, expected) => {
    expect(openApi(parse(['--url', url]), 'key').url).toBe(expected);
    expect(openApi(parse([], { LEQUE_URL: url }), 'key').url).toBe(expected);
  });

  test.each(['localhost:9001', 'nowhere', 'ftp://a', 'http://', 'http://u:p@a', 'http://a/?b', ''])(
    'refuses %o as a URL',
    (url) => {
      expect(() => parse(['--url', url])).toThrow('is invalid');
      expect(() => parse([], { LEQUE_URL: url })).toThrow('is invalid');
    },
  );

  test.each([
    [['--api-key', 'a', '--token', 'b'], 'exclude each other'],
    [['--token', ''], '--token is empty'],
    [['--api-key', 'a\nb'], '--api-key is empty, or has characters'],
    [['--token', 'ключ'], '--token is empty, or has characters'],
  ])('refuses the credentials %j', (args, reason) => {
    expect(() => openApi(parse(args), 'key')).toThrow(reason);
  });
});
