import { expect } from 'vitest';
import { Random } from '../lib/random.ts';
import { type Beginning, HearingModel, type HearingStep } from './hearing-model.ts';

const STEPS = 14;
export const HEARING_PROJECTS = ['A', 'B', 'C'] as const;
/** The project of a session that has one. */
const OWN = 'A';

export interface HearingInit {
  readonly begins: Beginning;
  /** The projects of the token. */
  readonly token: readonly string[];
  readonly own: string;
  readonly firehose: boolean;
  /** Whether the client has announced cursors, so that nothing is sent before its first command. */
  readonly holds: boolean;
}

/** A step with the cursors that the client presents with it, by project. */
export interface HearingCommand {
  readonly step: Exclude<HearingStep, { kind: 'grant ends' }>;
  readonly cursors: ReadonlyMap<string, string>;
}

/** One client and the node that serves it; event N of a project is at offset N. */
export interface HearingSubject extends AsyncDisposable {
  /** Whether the command was refused with an error. */
  readonly isRefused: boolean;
  /** The channels of which the client was told that they have ended, since the last command. */
  readonly endedChannels: readonly string[];
  /** The channels of which the client was told that they are subscribed again, since the last command. */
  readonly returnedChannels: readonly string[];
  /** The channels that could not be recovered, by the answer to the last command. */
  readonly gaps: readonly string[];
  /** Gives a command; resolves when everything that follows from it has arrived. */
  take(command: HearingCommand): Promise<void>;
  /** Lets the time of a project's grant pass. */
  endGrant(project: string): Promise<void>;
  /** Publishes the next event of each project; resolves when the client has what it gets of them. */
  publish(): Promise<void>;
  /** The offset of the last event. */
  top(project: string): number;
  cursor(project: string, offset: number): string;
  /** The offsets of the events that the client has received from a project, in order. */
  heard(project: string): readonly number[];
}

type StepKind = HearingStep['kind'];
export const HEARING_STEPS: readonly StepKind[] = [
  'subscribe',
  'unsubscribe',
  'resume',
  'auth',
  'grant begins',
  'grant ends',
];

export interface HearingContract {
  readonly seed: number;
  readonly beginnings: readonly Beginning[];
  /** The kinds of steps that the client can take. */
  readonly kinds: readonly StepKind[];
  start(init: HearingInit): Promise<HearingSubject>;
}

/**
 * Lets a client do random things, and expects after each that it hears what the table of rule HR says,
 * every event once and in order, and that each channel that ends or comes back is named to it.
 */
export async function runHearingContract(contract: HearingContract): Promise<void> {
  const { seed } = contract;
  const random = new Random(seed);
  const begins = random.pick(contract.beginnings);
  const token = begins === 'one project' ? [OWN] : randomToken(random);
  const holds = contract.kinds.includes('resume') && random.chance(0.3);
  const init = { begins, token, own: OWN, firehose: random.chance(0.7), holds };
  await using subject = await contract.start(init);
  const model = new HearingModel(begins, init);
  const run = new HearingRun(`seed ${seed}: ${JSON.stringify(init)}`, model, subject);
  if (holds) await run.comeBack(random.pick(HEARING_PROJECTS));
  else await run.publish();
  for (let n = 0; n < STEPS; n += 1) {
    await run.take(randomStep(random, model, contract.kinds), random.chance(0.7));
  }
}

function randomToken(random: Random): readonly string[] {
  return random.chance(0.3) ? ['*'] : random.subset(HEARING_PROJECTS);
}

function randomStep(random: Random, model: HearingModel, kinds: readonly StepKind[]): HearingStep {
  const project = random.pick(HEARING_PROJECTS);
  const [oldest] = model.grants;
  const canEnd = oldest !== undefined && kinds.includes('grant ends');
  if (canEnd && random.chance(0.2)) return { kind: 'grant ends', project: oldest };
  const kind = random.pick(kinds.filter((each) => each !== 'grant ends'));
  return kind === 'auth' ? { kind, projects: randomToken(random) } : { kind, project };
}

/** A subject beside its model. */
class HearingRun {
  readonly #log: string[];
  readonly #model: HearingModel;
  readonly #subject: HearingSubject;
  readonly #expected = new Map(HEARING_PROJECTS.map((project) => [project, [] as number[]]));
  /** Up to where the client knows each project. */
  readonly #seen = new Map<string, number>();

  constructor(title: string, model: HearingModel, subject: HearingSubject) {
    this.#log = [title];
    this.#model = model;
    this.#subject = subject;
  }

  async take(step: HearingStep, withCursors: boolean): Promise<void> {
    const before = this.#heardNow();
    const isAllowed = this.#model.allows(step);
    this.#model.apply(step);
    const after = this.#heardNow();
    const begun = [...after].filter((project) => !before.has(project));
    const presenting = withCursors || step.kind === 'resume' ? presenters(step, begun) : [];
    const cursors = new Map(presenting.map((each) => [each, this.#cursorOf(each)]));
    this.#log.push(`${JSON.stringify(step)} with ${JSON.stringify([...cursors])}`);
    if (step.kind === 'grant ends') await this.#subject.endGrant(step.project);
    else await this.#subject.take({ step, cursors });
    for (const project of begun) this.#begin(project, cursors.has(project));
    const isRefused = !isAllowed && step.kind !== 'resume';
    if (step.kind !== 'grant ends') expect(this.#subject.isRefused, this.#story).toBe(isRefused);
    expect(this.#subject.gaps, this.#story).toEqual([]);
    await this.publish();
    if (isAllowed) this.#expectTold(step, before, after);
  }

  /** Resumes a project after the first events were held back. */
  async comeBack(project: string): Promise<void> {
    await this.#publishNext();
    for (const each of HEARING_PROJECTS) this.#seen.delete(each);
    await this.take({ kind: 'resume', project }, true);
  }

  async publish(): Promise<void> {
    await this.#publishNext();
    const heard = HEARING_PROJECTS.map((project) => [project, this.#subject.heard(project)]);
    expect(heard, this.#story).toEqual([...this.#expected]);
  }

  async #publishNext(): Promise<void> {
    await this.#subject.publish();
    for (const project of this.#heardNow()) {
      const top = this.#subject.top(project);
      this.#expected.get(project)?.push(top);
      this.#seen.set(project, top);
    }
  }

  get #story(): string {
    return this.#log.join('\n');
  }

  #heardNow(): ReadonlySet<(typeof HEARING_PROJECTS)[number]> {
    return new Set(HEARING_PROJECTS.filter((project) => this.#model.hears(project)));
  }

  #cursorOf(project: string): string {
    return this.#subject.cursor(project, this.#seen.get(project) ?? 0);
  }

  /** What was missed follows the cursor; without one the client goes on from now. */
  #begin(project: (typeof HEARING_PROJECTS)[number], hasCursor: boolean): void {
    const top = this.#subject.top(project);
    const seen = this.#seen.get(project) ?? 0;
    const missed = Array.from({ length: top - seen }, (_, index) => seen + index + 1);
    if (hasCursor) this.#expected.get(project)?.push(...missed);
    this.#seen.set(project, top);
  }

  /** Each channel that has ended is named, and each chosen project that a token covers again. */
  #expectTold(step: HearingStep, before: ReadonlySet<string>, after: ReadonlySet<string>): void {
    const { endedChannels: ended, returnedChannels: returned } = this.#subject;
    const left = [...before].filter((project) => !after.has(project));
    const untold = ended.includes('firehose') ? [] : left.filter((each) => !isIn(ended, each));
    expect(untold, this.#story).toEqual([]);
    if (step.kind !== 'auth' && step.kind !== 'grant begins') return;
    const back = [...after].filter((each) => !before.has(each) && this.#model.chosen.has(each));
    expect(
      back.filter((project) => !isIn(returned, project)),
      this.#story,
    ).toEqual([]);
  }
}

function presenters(step: HearingStep, begun: readonly string[]): readonly string[] {
  if (step.kind === 'auth') return begun;
  return step.kind === 'subscribe' || step.kind === 'resume' ? [step.project] : [];
}

function isIn(channels: readonly string[], project: string): boolean {
  return channels.includes(`project:${project}`);
}

/** The channels of an answer's outcomes that were not recovered. A refused channel has a code. */
export function gapsIn(channels: Readonly<Record<string, object>>): string[] {
  const outcomes = Object.entries(channels) as [string, { recovered?: boolean; code?: string }][];
  const gaps = outcomes.filter(([, { recovered, code }]) => recovered === false && !code);
  return gaps.map(([channel]) => channel);
}
