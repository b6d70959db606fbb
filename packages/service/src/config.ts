import type { ConfigRule } from '@leque/core';
import { describeProblems, findProblems } from '@leque/protocol';
import type { Static, TObject } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';

const NUMBER = /^-?\d+(\.\d+)?$/;

/**
 * Reads a configuration from environment variables; an empty variable counts as not set.
 * @throws ConfigError that lists every problem
 */
export function readConfig<S extends TObject>(
  schema: S,
  env: Readonly<Record<string, string | undefined>>,
  rules: readonly ConfigRule<Static<S>>[] = [],
): Static<S> {
  const candidate = Value.Default(schema, givenIn(schema, env));
  const problems = findProblems(schema, Compile(schema), candidate).map((problem) =>
    describeProblems([problem]),
  );
  const broken = [...problems, ...rules.flatMap((rule) => rule(candidate as Static<S>))];
  if (broken.length > 0) throw new ConfigError(broken);
  return Object.freeze(candidate) as Static<S>;
}

/**
 * The values of the schema's variables. Only decimal numbers are converted: the library's conversion
 * reads `true` as 1, a blank as 0 and 80.5 as an integer.
 */
function givenIn(schema: TObject, env: Readonly<Record<string, string | undefined>>): object {
  const named = Object.entries(schema.properties).map(([name, property]) => {
    const text = env[name];
    const isNumber = 'type' in property && /^(integer|number)$/.test(String(property.type));
    return [name, isNumber && NUMBER.test(text ?? '') ? Number(text) : text] as const;
  });
  return Object.fromEntries(named.filter(([, value]) => value !== undefined && value !== ''));
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(problems: readonly string[]) {
    super(['Invalid configuration:', ...problems.map((problem) => `  ${problem}`)].join('\n'));
  }
}

/** Splits a comma-separated variable into its entries. */
export function listOf(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}
