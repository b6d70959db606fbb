import type { Command, Option } from 'commander';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  parseBaseUrl,
  parseCount,
  parseJsonObject,
  parsePositive,
} from '../src/api/parse-option.ts';
import { lequeProgram } from '../src/program.ts';

/** Values that a kind of option refuses; the kind is its parser. */
const WRONG_OF_KIND = new Map<unknown, readonly string[]>([
  [parseBaseUrl, ['localhost:9001', 'nowhere', 'ftp://a', 'http://', 'http://u:p@a', '']],
  [parsePositive, ['0', '-1', 'soon', '1e3', '0x10', '']],
  [parseCount, ['0', '-1', '1.5', 'many', '']],
  [parseJsonObject, ['x', '[]', 'null', '1', '']],
]);
/** Values that are refused by what the command runs on. */
const WRONG_OF_ACTION: Readonly<Record<string, readonly string[]>> = {
  'grant --user': ['a\nb', ''],
  'grant --projects': ['a\nb', '*'],
  'token --user': ['a\nb', ''],
  'token --projects': ['a\nb'],
  'token --scope': ['everything', 'publish,all'],
  'token --ttl': ['0', '-1', 'soon', '1e300', '999999999999999'],
  'publish --file': ['/nonexistent/events'],
  'tail --since': ['abc', '5d1a92b8d5ac59c3', '.1'],
  'bench --repeat': ['0', 'x', '1.5', '1001'],
  'bench --only': ['W99', 'W1,x'],
  'bench --peers': ['nobody'],
  'bench --seconds': ['0', 'x', '3601'],
  'bench --duty-cycle': ['0', '100', 'half'],
  'verify --only': ['nothing', 'soak,x'],
  'verify --seed': ['-1', 'x', '1.5'],
  'verify --soak': ['0', 'x', '601'],
  'verify --redis': ['none'],
  'verify --set': ['x', 'a=b', '=1'],
  'verify --url': ['localhost:9001', 'https://a', 'http://a/b'],
};
/** Options that take any text: names that only a server knows, secrets and folders. */
const FREE = [
  ...['publish --type', 'publish --project', 'publish --user', 'publish --channel'],
  ...['publish --key', 'trace --channel', 'log-level --node'],
  ...['verify --secret', 'verify --api-key', 'verify --out', 'bench --out'],
];
const CREDENTIALS = ['--api-key', '--token'];
/** Arguments and options that each command needs beside the option in question. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  tail: ['project:P'],
  trace: ['id'],
  'log-level': ['info'],
  completion: ['bash'],
  token: ['--user', 'alice'],
  publish: ['--type', 'note'],
  stats: ['--watch'],
};
/** Options that contradict each other, or need another one. */
const CONTRADICTIONS = [
  ...['--type t', '--project p', '--user u', '--channel all', '--data {}', '--key k'].map(
    (option) => `publish --file f ${option}`,
  ),
  'publish --type t --project p --user u',
  'publish --type t --project p --channel all',
  'publish --type t --user u --channel all',
  'publish',
  'stats --interval 3',
  'tail logs --since 5d1a92b8d5ac59c3.1',
  'tail project:P --level info',
  'tail firehose',
  'verify --short --soak 1',
  'verify --publish-url http://a',
  'verify --secret s',
  'verify --api-key k',
  'verify --soak 1 --only storm',
  'verify --url http://a --secret s --redis cluster',
  'verify --url http://a',
  'verify --url http://a --secret s --set A=b',
  'bench --install-peers',
  ...['publish --type t', 'tail all', 'trace x', 'stats', 'log-level info'].map(
    (command) => `${command} --api-key k --token t`,
  ),
];

class Exit extends Error {
  readonly code: unknown;

  constructor(code: unknown) {
    super(`exit ${code}`);
    this.code = code;
  }
}

/** Runs the command in this process, and returns its exit code. */
async function exitCodeOf(args: readonly string[]): Promise<unknown> {
  try {
    await lequeProgram({}).parseAsync(args, { from: 'user' });
    return process.exitCode;
  } catch (error) {
    if (error instanceof Exit) return error.code;
    throw error;
  }
}

const commands = lequeProgram({}).commands;
const pairs = commands.flatMap((command) =>
  command.options
    .filter(({ required, optional }) => required || optional)
    .map((option): readonly [Command, Option] => [command, option]),
);
const nameOf = (command: Command, { long }: Option) => `${command.name()} ${long}`;
const wrongValues = (command: Command, option: Option) =>
  WRONG_OF_ACTION[nameOf(command, option)] ??
  (option.argChoices === undefined ? (WRONG_OF_KIND.get(option.parseArg) ?? []) : ['nonsense', '']);

describe('the exit code is 2', () => {
  let before: typeof process.exitCode;
  beforeEach(() => {
    before = process.exitCode;
    vi.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Exit(code);
    });
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    vi.spyOn(console, 'error').mockReturnValue();
  });
  afterEach(() => {
    vi.restoreAllMocks();
    process.exitCode = before;
  });

  test('for options of every kind: each option is tested, or takes any text', () => {
    const untested = pairs
      .filter(([command, option]) => wrongValues(command, option).length === 0)
      .filter(([, { long }]) => !CREDENTIALS.includes(String(long)))
      .map(([command, option]) => nameOf(command, option));
    expect(
      untested.filter((name) => !FREE.includes(name) && name !== 'verify --publish-url'),
    ).toEqual([]);
  });

  test.each(
    pairs.flatMap(([command, option]) =>
      wrongValues(command, option).map((value) => [nameOf(command, option), value] as const),
    ),
  )('for %s %j', async (option, value) => {
    const [name = '', long = ''] = option.split(' ');
    const needed = long === '--file' ? [] : (NEEDED[name] ?? []);
    expect(await exitCodeOf([name, ...needed, `${long}=${value}`])).toBe(2);
  });

  test.each(commands.map((command) => command.name()))(
    'for an unknown option and an argument too many at %s',
    async (name) => {
      const needed = NEEDED[name] ?? [];
      expect(await exitCodeOf([name, ...needed, '--nonsense'])).toBe(2);
      expect(await exitCodeOf([name, ...needed, 'one', 'too many'])).toBe(2);
    },
  );

  test.each(
    pairs
      .filter(([, { required }]) => required)
      .map(([command, option]) => nameOf(command, option)),
  )('for %s without its value', async (option) => {
    const [name = '', long = ''] = option.split(' ');
    expect(await exitCodeOf([name, ...(NEEDED[name] ?? []), long])).toBe(2);
  });

  test.each(commands.filter(({ registeredArguments }) => registeredArguments.length > 0))(
    'for an argument that is missing, or none of its choices',
    async (command) => {
      expect(await exitCodeOf([command.name()])).toBe(2);
      const hasChoices = command.registeredArguments[0]?.argChoices !== undefined;
      if (hasChoices) expect(await exitCodeOf([command.name(), 'nonsense'])).toBe(2);
    },
  );

  test.each(CONTRADICTIONS)('for leque %s', async (line) => {
    expect(await exitCodeOf(line.split(' '))).toBe(2);
  });

  test('for the credentials of every command that HTTP cannot carry', async () => {
    for (const [command, { long }] of pairs) {
      if (!CREDENTIALS.includes(String(long)) || command.name() === 'verify') continue;
      const name = command.name();
      for (const value of ['', 'a b', 'ключ']) {
        expect(await exitCodeOf([name, ...(NEEDED[name] ?? []), `${long}=${value}`]), name).toBe(2);
      }
    }
  });
});
