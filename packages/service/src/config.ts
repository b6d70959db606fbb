import type { ConfigRule } from '@leque/core';
import { describeProblems, findProblems } from '@leque/protocol';
import { type Static, type TObject, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import { PROCESS_LOG_LEVELS } from './log-level.ts';

const NUMBER = /^-?\d+(\.\d+)?$/;

/** The variables that every process has; each has its own default port. */
export function processSettings(defaultPort: number, defaultNodeId: string) {
  return {
    PORT: Type.Integer({
      default: defaultPort,
      minimum: 0,
      maximum: 65_535,
      description: 'the port to listen on; 0 for any that is free',
    }),
    HOST: Type.String({ default: '0.0.0.0', description: 'the address to listen on' }),
    LOG_LEVEL: Type.Enum([...PROCESS_LOG_LEVELS], {
      default: 'info',
      description: 'the least severe log line that is written; `leque log-level` changes it later',
    }),
    NODE_ID: Type.String({
      default: defaultNodeId,
      pattern: '^[A-Za-z0-9._-]{1,64}$',
      description: '1 to 64 letters, digits and . _ - (names this process in logs and leases)',
    }),
  };
}

/**
 * Reads a configuration from environment variables; an empty variable counts as not set.
 * @throws Error that lists every problem at once
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
 * What the environment says of the schema's variables. Only digits become numbers: a library's
 * conversion takes `true` for 1, a blank for 0 and 80.5 for an integer.
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

/** The entries of a comma-separated variable. */
export function listOf(value: string | undefined): string[] {
  return (value ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}
