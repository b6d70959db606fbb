import { globSync, readFileSync } from 'node:fs';
import { secretProblems } from '@leque/auth-jwt';
import { expect, test } from 'vitest';

const FILES = ['*.yml', '*.md', 'docs/**/*.md', 'infra/**/*.{yaml,yml,md,env,tpl,conf}'];
/** A value that stands in the file, also as the default of a variable; `$(…)` and `…` are none. */
const SECRET = /\bJWT_SECRET["']?\s*[:=]\s*["']?(?:\$\{JWT_SECRET:-)?([A-Za-z0-9][\w.+/-]{3,})/g;

const samples = globSync(FILES).flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(SECRET)].map(([, secret = '']) => ({ file, secret })),
);

test('a secret that this repository shows starts nothing that requires tokens', () => {
  expect(samples.map(({ file }) => file)).toContain('docker-compose.yml');
  const accepted = samples.filter(
    ({ secret }) => secretProblems({ AUTH_MODE: 'required', JWT_SECRET: secret }).length === 0,
  );
  expect(accepted).toEqual([]);
});
