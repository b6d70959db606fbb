import type { Position } from '@leque/protocol';
import {
  FakeBroker,
  FakeClock,
  FakeClusterState,
  FakeConnection,
  RecordingTelemetry,
} from '@leque/testkit/fakes';
import { Hub, type SubscribeOptions } from '../src/fan-out/hub.ts';
import type { HubOptions } from '../src/fan-out/hub-options.ts';
import type { Session } from '../src/fan-out/session.ts';
import { parseSlowConsumerRules } from '../src/fan-out/slow-consumer-rules.ts';
import { identity, publication } from './samples.ts';

export const P = 'project:P';
export const at = (offset: number, epoch = 'e'): Position => ({ epoch, offset });
const limits = {
  outboxMaxBytes: 1_000,
  fanoutWindowMs: 0,
  unsubscribeGraceMs: 2_000,
  replayPage: { publications: 100, bytes: 262_144 },
  maxSubscriptions: 5,
  slowConsumerRules: parseSlowConsumerRules(
    'logs drop-oldest; project:C conflate job_progress/job_id',
  ),
};

/** A hub whose ports are all fakes. */
export class HubUnderTest {
  readonly broker = new FakeBroker();
  readonly state = new FakeClusterState();
  readonly telemetry = new RecordingTelemetry();
  readonly clock = new FakeClock();
  readonly hub: Hub;

  constructor(more: Partial<HubOptions> = {}) {
    this.hub = new Hub(this, { ...limits, ...more });
  }

  connect(who = identity('alice'), connection = new FakeConnection()) {
    return { connection, session: this.hub.open(connection, who) };
  }

  /** Subscribes and starts the subscription at once. */
  async subscribe(session: Session, channel: string, options?: SubscribeOptions) {
    const subscription = await this.hub.subscribe(session, channel, options);
    this.hub.replays.start(session, [subscription]);
    return subscription;
  }

  deliver(channel: string, ...offsets: number[]): void {
    for (const offset of offsets) this.hub.deliver(publication(channel, offset));
    this.clock.endTurn();
  }
}
