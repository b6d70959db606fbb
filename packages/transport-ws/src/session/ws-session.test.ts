import {
  ALL_PROJECTS,
  type Broker,
  type Connection,
  Grants,
  type HistoryPage,
  Hub,
  notificationsEndpoint,
  Publication,
  parseSlowConsumerRules,
  systemClock,
  type TransportContext,
} from '@leque/core';
import { FIREHOSE } from '@leque/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { wsFormat } from '../wire/ws-format.ts';
import { startHeartbeats } from './heartbeat.ts';
import { LearnedLimits } from './learned-limits.ts';
import { WsSession } from './ws-session.ts';

const P = 'project:P';
const OUTBOX_BYTES = 6000;
const MISSED = 30;
const at = (offset: number) => ({ epoch: 'e', offset });
const json = JSON.stringify({ type: 'x', data: { text: 'x'.repeat(150) } });
const type = 'x';

/** Connects a client that may see all projects and resumes one, whose history the test gives. */
function resume() {
  const history = Promise.withResolvers<HistoryPage>();
  const asked = Promise.withResolvers<void>();
  const broker: Partial<Broker> = {
    subscribe: async (channel) => (channel === P ? at(MISSED) : undefined),
    unsubscribe: async () => {},
    history: () => {
      asked.resolve();
      return history.promise;
    },
  };
  const { hub, context } = startNode(broker as Broker);
  const sent: Buffer[] = [];
  const connection: Connection = {
    format: wsFormat,
    bufferedBytes: 0,
    write: (frame) => void sent.push(Buffer.from(frame as Buffer)),
    close: () => {},
  };
  const grants = new Grants({ userId: undefined, projects: [ALL_PROJECTS], scopes: [] });
  const identity = { userId: undefined, grants, expiresAt: undefined };
  const heartbeats = startHeartbeats(context);
  onTestFinished(() => heartbeats.close());
  const endpoint = notificationsEndpoint(true);
  const ws = new WsSession(
    {
      ...{ connection, endpoint, heartbeats, context, learned: new LearnedLimits(65_536) },
      ...{ clientKey: 0, maxMessage: undefined },
    },
    identity,
  );
  ws.open(true);
  ws.message(Buffer.from(JSON.stringify({ action: 'resume', cursors: { [P]: 'e.0' } })), false);
  /** Cursors of the project's publications; undefined for those that came by the firehose. */
  const received = () => {
    const texts = Buffer.concat(sent).toString('latin1');
    return [...texts.matchAll(/"channel":"project:P"(?:,"cursor":"([^"]+)")?\}/g)].map(
      ([, cursor]) => cursor,
    );
  };
  return { hub, history, asked: asked.promise, received };
}

function startNode(broker: Broker) {
  const state = {
    setConnections() {},
    setSubscribers() {},
    setUserConnections() {},
    addTotals() {},
  };
  const telemetry = { report() {} };
  const hub = new Hub({ broker, state, telemetry, clock: systemClock } as never, {
    outboxMaxBytes: OUTBOX_BYTES,
    fanoutWindowMs: 0,
    unsubscribeGraceMs: 0,
    maxSubscriptions: 10,
    replayPage: { publications: 100, bytes: 262_144 },
    slowConsumerRules: parseSlowConsumerRules(''),
  });
  onTestFinished(() => hub.close());
  const times = { heartbeatIntervalMs: 30_000, pingIntervalMs: 25_000, timeoutMs: 90_000 };
  const limits = { ...times, commands: { perSecond: 100, burst: 100 } };
  const context = { hub, telemetry, clock: systemClock, firehose: true, limits };
  return { hub, context: context as unknown as TransportContext };
}

test('[DUP] a held firehose that overflows does not bring publications of the resumed project', async () => {
  const { hub, history, asked, received } = resume();
  await asked;
  const offsets = Array.from({ length: MISSED }, (_, index) => index + 1);
  for (const offset of offsets) {
    const repeated = { origin: P, originPosition: at(offset), position: undefined };
    hub.deliver(new Publication({ channel: FIREHOSE, type, json, ...repeated }));
  }
  await new Promise(setImmediate);
  const publications = offsets.map(
    (offset) => new Publication({ channel: P, type, json: '{"type":"x"}', position: at(offset) }),
  );
  history.resolve({ position: at(MISSED), publications, complete: true });
  await expect.poll(() => received().at(-1)).toBe(`e.${MISSED}`);
  expect(received()).toEqual(offsets.map((offset) => `e.${offset}`));
});
