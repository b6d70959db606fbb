import { expect, test } from 'vitest';
import { apiKeyProblems, secretProblems } from './secret-problems.ts';

const good = 'q8Jv2Zr0s5yTtK1x9WbEo3LdPmHcGu7N';
const sample = 'for-this-machine-only-0123456789abcdef';
const forTests = 'only-for-tests-0123456789abcdefgh';
const open = { AUTH_MODE: 'open' };
const required = { AUTH_MODE: 'required' };
const production = { NODE_ENV: 'production' };

const short = expect.stringMatching(/at least (32|20) characters/);
const uniform = expect.stringContaining('different characters');
const published = expect.stringContaining('published sample');

test.each([
  ['a good one', good, { problems: [] }],
  ['one character', 'x', { ...required, problems: [short] }],
  ['one character, where the mode is left out', 'x', { problems: [short] }],
  ['one character in open mode', 'x', { ...open, problems: [] }],
  ['one character in open mode in production', 'x', { ...open, ...production, problems: [short] }],
  ['the same character again and again', 'x'.repeat(64), { ...required, problems: [uniform] }],
  ['the sample of docker-compose.yml', sample, { ...required, problems: [published] }],
  ['that sample in production', sample, { ...required, ...production, problems: [published] }],
  ['that sample in open mode', sample, { ...open, ...production, problems: [] }],
  [
    'a famous example',
    'a-string-secret-at-least-256-bits-long',
    { ...required, problems: [published] },
  ],
  ['the secret of tests', forTests, { ...required, problems: [] }],
  [
    'the secret of tests in production',
    forTests,
    { ...required, ...production, problems: [published] },
  ],
] as const)('%s as a secret and as an API key', (_, secret, { problems, ...mode }) => {
  expect(secretProblems({ ...mode, JWT_SECRET: secret })).toEqual(problems);
  expect(apiKeyProblems(mode, [good, secret])).toEqual(problems);
});

test('no message contains a secret', () => {
  for (const secret of ['tiny-secret', sample, 'zyzyzyzyzyzyzyzyzyzyzyzyzyzyzyzyzyzy']) {
    const messages = [
      ...secretProblems({ JWT_SECRET: secret }),
      ...apiKeyProblems({}, [secret]),
    ].join();
    expect(messages).not.toBe('');
    expect(messages).not.toContain(secret);
  }
});
