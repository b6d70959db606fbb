import { projectChannel } from '@leque/protocol';
import {
  gapsIn,
  HEARING_PROJECTS,
  type HearingCommand,
  type HearingInit,
  type HearingSubject,
} from '@leque/testkit/contracts';
import {
  FakeClock,
  FakeClusterState,
  FakeConnection,
  RecordingTelemetry,
  TextFormat,
} from '@leque/testkit/fakes';
import { expect } from 'vitest';
import type { RoomGrant } from '../src/access/room-grants.ts';
import { ClientSession, type CommandHandler } from '../src/clients/client-session.ts';
import {
  notificationsEndpoint,
  projectEndpoint,
  selectedProjectsEndpoint,
} from '../src/clients/endpoint.ts';
import { EndpointFeed } from '../src/clients/endpoint-feed.ts';
import type {
  EndedForReason,
  PresentedCursors,
  ResumeResults,
} from '../src/clients/resume-results.ts';
import type { TransportContext, TransportLimits } from '../src/clients/transport.ts';
import { Hub } from '../src/fan-out/hub.ts';
import type { Publication } from '../src/publication/publication.ts';
import { identity } from './samples.ts';
import { StreamBroker } from './stream-broker.ts';

const USER = 'alice';
const GRANT_MS = 60_000;
const HOLD_MS = 5_000;
const limits = {
  outboxMaxBytes: 1_000_000,
  fanoutWindowMs: 0,
  unsubscribeGraceMs: 100,
  replayPage: { publications: 1_000, bytes: 262_144 },
  maxSubscriptions: 50,
  slowConsumerRules: () => undefined,
};

class TypeFormat extends TextFormat {
  override encodePublication({ type, position }: Publication) {
    return { byteLength: 10, text: type, position };
  }
}

/** A session with everything that decides what it hears, on a transport without a protocol. */
export class HearingUnderTest implements HearingSubject, CommandHandler<HearingCommand> {
  isRefused = false;
  endedChannels: string[] = [];
  returnedChannels: string[] = [];
  gaps: readonly string[] = [];
  /** All channels that have ended with their rights. */
  readonly ends: EndedForReason[] = [];
  readonly #clock = new FakeClock();
  readonly #connection = new FakeConnection(new TypeFormat());
  readonly #broker = new StreamBroker();
  readonly #client: ClientSession<HearingCommand>;
  readonly #feed: EndpointFeed;
  readonly #hub: Hub;
  #grants = 0;
  readonly #grantEnds = new Map<string, number>();

  constructor({ begins, token, own, firehose, holds }: HearingInit) {
    const [broker, clock] = [this.#broker, this.#clock];
    const [state, telemetry] = [new FakeClusterState(), new RecordingTelemetry()];
    this.#hub = new Hub({ broker, state, telemetry, clock }, limits);
    broker.sink = this.#hub;
    const context: Partial<TransportContext> = {
      hub: this.#hub,
      clock,
      telemetry,
      grants: { verify: async (text) => JSON.parse(text) as RoomGrant },
      limits: {
        commands: { perSecond: 1_000, burst: 1_000 },
        maxSubscriptions: limits.maxSubscriptions,
      } as TransportLimits,
    };
    const deps = { handler: this, connection: this.#connection };
    this.#client = new ClientSession(
      { ...deps, context: context as TransportContext },
      identity(USER, token),
    );
    const endpoint = {
      'takes all': notificationsEndpoint(firehose),
      'one project': projectEndpoint(own),
      'no project': selectedProjectsEndpoint,
    }[begins];
    this.#feed = new EndpointFeed(this.#client, endpoint);
    this.#client.begin(async () => {
      await this.#feed.open();
      if (holds) this.#client.hold(HOLD_MS);
      else this.#client.flow();
    });
  }

  async take(command: HearingCommand): Promise<void> {
    this.isRefused = false;
    this.endedChannels = [];
    this.returnedChannels = [];
    this.gaps = [];
    this.#client.receive(command);
    await this.#settle();
  }

  async endGrant(project: string): Promise<void> {
    this.endedChannels = [];
    this.waitUntil(this.grantEnd(project));
    await this.#settle();
  }

  grantEnd(project: string): number {
    return this.#grantEnds.get(project) ?? 0;
  }

  waitUntil(time: number): void {
    this.#clock.advance(time - this.#clock.now());
  }

  /** Timers of the session, and one of its hub while that is open. */
  get timers(): number {
    return this.#clock.pending;
  }

  async publish(): Promise<void> {
    await this.#settle(); // the first time, the session begins
    for (const project of HEARING_PROJECTS) this.#broker.publishNext(projectChannel(project));
    await this.#settle();
  }

  top(project: string): number {
    return this.#broker.topOf(projectChannel(project));
  }

  cursor(_project: string, offset: number): string {
    return `e.${offset}`;
  }

  heard(project: string): number[] {
    const prefix = `${projectChannel(project)} `;
    const texts = this.#connection.sent.filter((text) => text.startsWith(prefix));
    return texts.map((text) => Number(text.slice(prefix.length)));
  }

  async execute({ step, cursors }: HearingCommand): Promise<void> {
    const feed = this.#feed;
    const presented = new Map([...cursors].map(([project, at]) => [projectChannel(project), at]));
    const channel = step.kind === 'auth' ? '' : projectChannel(step.project);
    if (step.kind === 'auth') await this.#renew(step.projects, presented);
    else if (step.kind === 'resume') this.#note(await feed.resume(presented));
    else if (step.kind === 'unsubscribe') {
      this.endedChannels.push(channel, ...feed.unsubscribe([channel]));
    } else if (step.kind === 'grant begins') {
      this.#grants += 1; // no two grants end at the same time
      const expiresAt = this.#clock.now() + GRANT_MS * this.#grants;
      this.#grantEnds.set(step.project, expiresAt);
      const grant: Partial<RoomGrant> = { userId: USER, projects: [step.project], expiresAt };
      await this.#client.grants.hold(JSON.stringify(grant));
      await feed.resume(presented);
    } else {
      const { subscription, ended } = await feed.subscribe(channel, presented.get(channel));
      this.endedChannels.push(...ended);
      this.#note([[channel, subscription]]);
      subscription.start();
    }
  }

  refuse(): void {
    this.isRefused = true;
  }

  presented({ cursors }: HearingCommand): readonly string[] {
    return [...cursors.keys()].map(projectChannel);
  }

  bytesOf(): number {
    return 0;
  }

  isUrgent(): boolean {
    return false;
  }

  ended(channel: EndedForReason): void {
    this.ends.push(channel);
    this.endedChannels.push(channel.channel);
  }

  returned(channel: string): void {
    this.returnedChannels.push(channel);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.end();
    this.#hub.close();
  }

  async #renew(projects: readonly string[], presented: PresentedCursors): Promise<void> {
    const { ended, results } = await this.#feed.renew(identity(USER, projects), presented);
    this.#note(results);
    expect(ended).toEqual(this.endedChannels); // the answer repeats what the client was told
  }

  #note(results: ResumeResults): void {
    this.gaps = gapsIn(Object.fromEntries(results.map(([name, { outcome }]) => [name, outcome])));
  }

  async #settle(): Promise<void> {
    for (let turn = 0; turn < 2; turn += 1) {
      await new Promise(setImmediate);
      this.#clock.endTurn();
    }
  }
}
