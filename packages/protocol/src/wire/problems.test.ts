import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { expect, test } from 'vitest';
import { describeProblems, findProblems } from './problems.ts';

const Schema = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z]+$', description: 'small letters' }),
    plain: Type.Optional(Type.String({ pattern: '^x$' })),
    list: Type.Optional(Type.Array(Type.Object({ n: Type.Integer() }))),
    level: Type.Optional(Type.Enum(['low', 'high'])),
  },
  { additionalProperties: false },
);
const validator = Compile(Schema);
const find = (value: unknown) =>
  findProblems(Schema, validator, value).map((problem) => describeProblems([problem]));

test.each([
  [{ id: 'a' }, []],
  [{}, ['id is required']],
  [{ id: 'A' }, ['id must be small letters']],
  [{ id: 'a', plain: 'y' }, ['plain must match pattern "^x$"']],
  [{ id: 'a', level: 'mid' }, ['level must be one of low, high']],
  [
    { id: 'a', list: [{ n: 1 }, { n: 'x' }, {}] },
    ['list.1.n must be integer', 'list.2.n is required'],
  ],
  [{ id: 'a', more: 1 }, ['more is not a known field']],
  ['text', ['must be object']],
])('the problems of %j are %j', (value, problems) => {
  expect(find(value)).toEqual(problems);
});

test('several problems are joined to one sentence', () => {
  const problems = findProblems(Schema, validator, { level: 'mid' });
  expect(describeProblems(problems)).toContain('; ');
});

test('[LIVE] thousands of unknown fields cost no more than a look at their names', () => {
  const names = Array.from({ length: 200_000 }, (_, n) => `f${n}`);
  const value = Object.fromEntries(names.map((name) => [name, 1]));
  const startedAt = performance.now();
  expect(find(value)).toEqual(names.slice(0, 8).map((name) => `${name} is not a known field`));
  expect(performance.now() - startedAt).toBeLessThan(1000);
});
