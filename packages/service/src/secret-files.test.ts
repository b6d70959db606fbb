import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { listOf, readConfig } from './config.ts';
import { SECRET_VARIABLES } from './secret-files.ts';

const Config = Type.Object(
  Object.fromEntries(SECRET_VARIABLES.map((name) => [name, Type.Optional(Type.String())])),
);

/** Writes files into a folder of its own. */
function files(contents: Readonly<Record<string, string>>) {
  const folder = mkdtempDisposableSync(join(tmpdir(), 'leque-secrets-'));
  for (const [name, content] of Object.entries(contents)) {
    writeFileSync(join(folder.path, name), content);
  }
  return { at: (name: string) => join(folder.path, name), [Symbol.dispose]: () => folder.remove() };
}

test.each(SECRET_VARIABLES)('%s may be in a file, without the line break at its end', (name) => {
  using folder = files({ secret: 'first line\nsecond, line\r\n\n' });
  const env = { [`${name}_FILE`]: folder.at('secret') };
  expect(readConfig(Config, env)).toEqual({ [name]: 'first line\nsecond, line' });
});

test('a file with one API key in each line is a list, as one with commas is', () => {
  expect(listOf('one\ntwo, three\n')).toEqual(['one', 'two', 'three']);
});

test('all problems are named with their files, and without what is in them', () => {
  using folder = files({ empty: '\n', secret: 'the secret' });
  const env = {
    JWT_SECRET_FILE: folder.at('missing'),
    REDIS_URL_FILE: folder.at('empty'),
    CONTROL_SECRET: 'x',
    CONTROL_SECRET_FILE: folder.at('secret'),
    JWT_PUBLIC_KEY_FILE: folder.at('.'),
  };
  const read = () => readConfig(Config, env);
  expect(read).toThrow(`JWT_SECRET_FILE: ${folder.at('missing')} cannot be read: ENOENT`);
  expect(read).toThrow(`REDIS_URL_FILE: ${folder.at('empty')} is empty`);
  expect(read).toThrow(
    'CONTROL_SECRET and CONTROL_SECRET_FILE exclude each other; set one of them',
  );
  expect(read).toThrow(`JWT_PUBLIC_KEY_FILE: ${folder.at('.')} cannot be read: EISDIR`);
  expect(read).not.toThrow('the secret');
});

test('an empty name of a file counts as not set, and files of unknown variables stay closed', () => {
  expect(readConfig(Config, { JWT_SECRET_FILE: '' })).toEqual({});
  const Other = Type.Object({ PORT: Type.Optional(Type.String()) });
  expect(readConfig(Other, { JWT_SECRET_FILE: '/missing' })).toEqual({});
});
