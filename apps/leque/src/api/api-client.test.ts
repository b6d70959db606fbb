import { expect, test } from 'vitest';
import { openApi } from './api-client.ts';

const KEY = { PUBLISH_API_KEY: 'key' };
const TOKEN = { LEQUE_TOKEN: 'token' };

test.each([
  ['the key', { ...KEY, ...TOKEN }, {}, 'key', 'key'],
  ['the token where one is needed', { ...KEY, ...TOKEN }, {}, 'token', 'token'],
  ['the token beside an empty key', { PUBLISH_API_KEY: '', ...TOKEN }, {}, 'key', 'token'],
  ['an option, whatever is in the environment', KEY, { token: 'given' }, 'key', 'given'],
  ['an option that is a key', TOKEN, { apiKey: 'given' }, 'token', 'given'],
  ['nothing', { PUBLISH_API_KEY: '', LEQUE_TOKEN: '', LEQUE_URL: '' }, {}, 'key', undefined],
] as const)('a command shows %s', (...row) => {
  const [, env, options, needs, credential] = row;
  const api = openApi(options, env, needs);
  expect(api).toMatchObject({ origin: 'http://localhost:9001', credential });
});
