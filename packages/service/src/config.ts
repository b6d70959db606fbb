import type { ConfigRule } from '@leque/core';
import { describeProblems, findProblems } from '@leque/protocol';
import type { Static, TObject } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import { type Env, withSecretFiles } from './secret-files.ts';

const NUMBER = /^-?\d+(\.\d+)?$/;

/**
 * Reads a configuration from environment variables; an empty variable counts as not set. Secrets may be
 * in files, see `withSecretFiles`.
 * @throws ConfigError that lists every problem
 */
export function readConfig<S extends TObject>(
  schema: S,
  env: Env,
  rules: readonly ConfigRule<Static<S>>[] = [],
): Static<S> {
  const { env: given, problems: unread } = withSecretFiles(env, Object.keys(schema.properties));
  const candidate = Value.Default(schema, givenIn(schema, given));
  const problems = findProblems(schema, Compile(schema), candidate).map((problem) => {
    const sentence = describeProblems([problem]);
    return numberProblem(schema, { env, sentence }) ?? sentence;
  });
  const broken = [
    ...unread,
    ...new Set(problems),
    ...rules.flatMap((rule) => rule(candidate as Static<S>)),
  ];
  if (broken.length > 0) throw new ConfigError(broken);
  return Object.freeze(candidate) as Static<S>;
}

/** A problem with a number, as a sentence that has its bounds and its value; numbers are no secrets. */
function numberProblem(
  { properties }: TObject,
  { env, sentence }: { readonly env: Env; readonly sentence: string },
): string | undefined {
  const [name = ''] = sentence.split(' ', 1);
  const property = properties[name] as NumberSchema | undefined;
  if (property === undefined || !env[name] || !isNumeric(property)) return undefined;
  const { type, minimum, maximum } = property;
  const noun = type === 'integer' ? 'a whole number' : 'a number';
  const from = minimum === undefined ? '' : ` from ${minimum}`;
  const to = maximum === undefined ? '' : ` to ${maximum}`;
  return `${name} must be ${noun}${from}${to}, and is ${JSON.stringify(env[name])}`;
}

interface NumberSchema {
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

function isNumeric(property: object): boolean {
  return 'type' in property && /^(integer|number)$/.test(String(property.type));
}

/**
 * The values of the schema's variables. Only decimal numbers are converted: the library's conversion
 * reads `true` as 1, a blank as 0 and 80.5 as an integer.
 */
function givenIn(schema: TObject, env: Env): object {
  const named = Object.entries(schema.properties).map(([name, property]) => {
    const text = env[name];
    return [name, isNumeric(property) && NUMBER.test(text ?? '') ? Number(text) : text] as const;
  });
  return Object.fromEntries(named.filter(([, value]) => value !== undefined && value !== ''));
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(problems: readonly string[]) {
    super(['Invalid configuration:', ...problems.map((problem) => `  ${problem}`)].join('\n'));
  }
}

/** Splits a variable with commas, or a file with lines, into its entries. */
export function listOf(value: string | undefined): string[] {
  return (value ?? '')
    .split(/[,\n]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}
