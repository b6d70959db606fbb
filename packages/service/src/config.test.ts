import type { ConfigRule } from '@leque/core';
import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { ConfigError, listOf, readConfig } from './config.ts';

const Schema = Type.Object({
  PORT: Type.Integer({ default: 9001, minimum: 0, maximum: 65_535 }),
  HOST: Type.String({ default: '0.0.0.0' }),
  MODE: Type.Enum(['open', 'required'], { default: 'required' }),
  TIMEOUT: Type.Number({ default: 30, minimum: 0 }),
  URL: Type.String({ pattern: '^redis://', description: 'a redis:// URL' }),
  SECRET: Type.Optional(Type.String({ minLength: 3 })),
});
const URL = 'redis://localhost';

test('variables become what the schema says; the others are left alone', () => {
  const env = { URL, PORT: '80', TIMEOUT: '0.5', PATH: '/bin' };
  expect(readConfig(Schema, env)).toEqual({
    URL,
    PORT: 80,
    HOST: '0.0.0.0',
    MODE: 'required',
    TIMEOUT: 0.5,
  });
});

test('an empty variable counts as not set', () => {
  expect(readConfig(Schema, { URL, PORT: '', SECRET: '' })).toMatchObject({ PORT: 9001 });
  expect(() => readConfig(Schema, { URL: '' })).toThrow('URL is required');
});

test('a configuration does not change', () => {
  expect(Object.isFrozen(readConfig(Schema, { URL }))).toBe(true);
});

test.each([
  ['PORT', 'abc', 'must be a whole number from 0 to 65535, and is "abc"'],
  ['PORT', '-1', 'must be a whole number from 0 to 65535, and is "-1"'],
  ['PORT', '65536', 'must be a whole number from 0 to 65535, and is "65536"'],
  ['PORT', '80.5', 'must be a whole number from 0 to 65535, and is "80.5"'],
  ['PORT', '80abc', 'must be a whole number from 0 to 65535, and is "80abc"'],
  ['PORT', 'true', 'must be a whole number from 0 to 65535, and is "true"'],
  ['PORT', ' ', 'must be a whole number from 0 to 65535, and is " "'],
  ['TIMEOUT', 'soon', 'must be a number from 0, and is "soon"'],
  ['TIMEOUT', 'NaN', 'must be a number from 0, and is "NaN"'],
  ['TIMEOUT', 'Infinity', 'must be a number from 0, and is "Infinity"'],
  ['MODE', 'maybe', 'must be one of open, required'],
  ['URL', 'http://x', 'must be a redis:// URL'],
  ['SECRET', 'ab', 'must not have fewer than 3 characters'],
])('%s=%s is refused: %s', (name, value, problem) => {
  expect(() => readConfig(Schema, { URL, [name]: value })).toThrow(`  ${name} ${problem}`);
});

test('every problem is told at once, those of rules over several variables too', () => {
  const rule: ConfigRule<{ MODE: string; SECRET?: string }> = ({ MODE, SECRET }) =>
    MODE === 'required' && SECRET === undefined ? ['MODE=required needs SECRET'] : [];
  const error = thrownBy(() => readConfig(Schema, { PORT: 'abc' }, [rule]));
  expect(error).toBeInstanceOf(ConfigError);
  expect(error.message.split('\n')).toEqual([
    'Invalid configuration:',
    expect.stringContaining(''),
    expect.stringContaining(''),
    '  MODE=required needs SECRET',
  ]);
  expect(error.message).toContain('  URL is required');
  expect(error.message).toContain('  PORT must be a whole number from 0 to 65535, and is "abc"');
});

test('a list has commas, and no empty entries', () => {
  expect(listOf(' a, b ,,c,')).toEqual(['a', 'b', 'c']);
  expect(listOf('')).toEqual([]);
  expect(listOf(undefined)).toEqual([]);
});

function thrownBy(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
