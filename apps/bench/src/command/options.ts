import { ConfigError } from '@leque/service';
import type { Target } from '../targets/target.ts';
import type { Workload } from '../workloads/workloads.ts';

/** A shorter run ends before anything arrives; a longer one is probably a typing error. */
const SECONDS: Range = { option: '--seconds', unit: 'number of seconds', least: 0.5, most: 3600 };
const MAX_REPEAT = 1000;
const DUTY_CYCLE: Range = { option: '--duty-cycle', unit: 'percentage', least: 10, most: 90 };

/** The options as they are given on the command line. */
export interface BenchArguments {
  readonly json?: boolean;
  readonly repeat?: string;
  readonly only?: string;
  /** True for all peers. */
  readonly peers?: string | true;
  readonly installPeers?: true;
  readonly smoke?: true;
  readonly seconds?: string;
  /** Percent. */
  readonly dutyCycle?: string;
  readonly out?: string;
  readonly list?: true;
}

export interface BenchOptions {
  readonly repeat: number;
  readonly workloads: readonly Workload[];
  readonly targets: readonly Target[];
  /** Duration of each run's measured part; undefined for that of the workload. */
  readonly seconds: number | undefined;
  /** Share of the time in which each server runs; undefined for all of it. */
  readonly dutyCycle: number | undefined;
}

/** The workloads and targets to choose from. */
export interface Choice {
  readonly workloads: readonly Workload[];
  readonly leque: Target;
  readonly peers: readonly Target[];
}

/** @throws ConfigError that lists every problem */
export function readOptions(
  given: BenchArguments & { readonly repeat: string },
  choice: Choice,
): BenchOptions {
  const problems: string[] = [];
  const repeat = Number(given.repeat);
  if (!Number.isInteger(repeat) || repeat < 1 || repeat > MAX_REPEAT) {
    problems.push(`--repeat "${given.repeat}" is not a number of repetitions (1 to ${MAX_REPEAT})`);
  }
  const seconds = numberIn(given.seconds, SECONDS, problems);
  const percent = numberIn(given.dutyCycle, DUTY_CYCLE, problems);
  if (given.installPeers && given.peers === undefined) {
    problems.push('--install-peers needs --peers, which says what to install');
  }
  const workloads = pick(choice.workloads, given.only, { option: '--only', nameOf: idOf });
  const peers =
    given.peers === undefined
      ? { chosen: [], problems: [] }
      : pick(choice.peers, given.peers === true ? undefined : given.peers, {
          option: '--peers',
          nameOf: ({ name }) => name,
        });
  problems.push(...workloads.problems, ...peers.problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    repeat,
    seconds,
    dutyCycle: percent === undefined ? undefined : percent / 100,
    workloads: workloads.chosen,
    targets: [choice.leque, ...peers.chosen],
  };
}

interface Range {
  readonly option: string;
  readonly unit: string;
  readonly least: number;
  readonly most: number;
}

function numberIn(text: string | undefined, range: Range, problems: string[]): number | undefined {
  if (text === undefined) return undefined;
  const { option, unit, least, most } = range;
  const number = Number(text);
  if (number >= least && number <= most) return number;
  problems.push(`${option} "${text}" is not a ${unit} (${least} to ${most})`);
  return undefined;
}

interface Naming<T> {
  readonly option: string;
  readonly nameOf: (item: T) => string;
}

/** The named items in the order of the choice; all items when no list is given. */
function pick<T>(choice: readonly T[], list: string | undefined, { option, nameOf }: Naming<T>) {
  if (list === undefined) return { chosen: choice, problems: [] };
  const wanted = list.split(',').map((name) => name.trim().toLowerCase());
  const known = choice.map((item) => nameOf(item).toLowerCase());
  const problems = wanted
    .filter((name) => !known.includes(name))
    .map((name) => `${option}: "${name}" is none of ${choice.map(nameOf).join(', ')}`);
  return {
    chosen: choice.filter((item) => wanted.includes(nameOf(item).toLowerCase())),
    problems,
  };
}

function idOf({ id }: Workload): string {
  return id;
}
