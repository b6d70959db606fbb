import { post, RawClient, tokenFor, wsUrl } from '@leque/lab';
import { type Nodes, Random, startNodes } from '@leque/testkit';
import { randomObject } from '@leque/testkit/fakes';
import { Redis } from 'ioredis';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** `BYTES_RUNS=5000 BYTES_SEED=7` publishes more random events, from another seed. */
const { BYTES_RUNS = '100', BYTES_SEED = '1' } = process.env;
const PATIENCE = { timeout: 20_000 };
/** Few enough runs that all their events fit the history. */
const RUNS_AT_A_TIME = 200;
const WAYS_IN = ['HTTP', 'FCALL', 'PUBLISH'] as const;
const PROJECT = 'bytes';
const CHANNEL = `project:${PROJECT}`;
const START = { type: 'start', data: {}, project_id: PROJECT };

interface Sent {
  readonly id: string;
  /** The text of one member of the event's data. */
  readonly value: string;
}

let cluster: Nodes;
let redis: Redis;
beforeAll(async () => {
  cluster = await startNodes(2, { API_RATE: '100000', API_BURST: '100000' });
  redis = new Redis(cluster.redis.url);
});
afterAll(async () => {
  redis?.disconnect();
  await cluster?.[Symbol.asyncDispose]();
});

const urlOf = (index: number) => cluster.nodes[index]?.url ?? '';

/** Publishes one random event by one of the three ways in. @returns the bytes that must arrive */
async function publish(way: (typeof WAYS_IN)[number], run: number, random: Random): Promise<Sent> {
  const [id, value] = [`${way}-${run}`, randomObject(random)];
  const text = `{"type":"x","message_id":"${id}","project_id":"${PROJECT}","data":{"v":${value}}}`;
  const key = `${cluster.prefix}{${CHANNEL}}`;
  if (way === 'PUBLISH') await redis.publish(key, text);
  else if (way === 'FCALL') await redis.call('FCALL', 'leque_publish', '1', key, text);
  else expect(await post(`${urlOf(1)}/api/publish`, text)).toMatchObject({ status: 200 });
  return { id, value };
}

/** Received message texts, by the id of the event in them. */
class Messages {
  readonly #texts = new Map<string, string>();

  add(text: string): void {
    const [, id] = /"message_id":"((?:HTTP|FCALL|PUBLISH)-\d+)"/.exec(text) ?? [];
    if (id !== undefined) this.#texts.set(id, text);
  }

  get size(): number {
    return this.#texts.size;
  }

  /** Sent events whose message does not hold their bytes exactly once. */
  wrong(sent: readonly Sent[]): unknown[] {
    return sent
      .map(({ id, value }) => ({ value, got: this.#texts.get(id) }))
      .filter(({ value, got = '' }) => {
        const [before, after, ...more] = got.split(`"v":${value}`);
        return before === '' || !/^[,}]/.test(after ?? '') || more.length > 0;
      });
  }
}

async function openRaw(cursor?: string) {
  const client = await RawClient.connect(wsUrl(urlOf(0), '/ws/notifications'));
  const messages = new Messages();
  client.socket.on('message', (text: Buffer) => messages.add(text.toString()));
  const answer = await client.subscribe(PROJECT, cursor);
  return { client, messages, cursor: String(answer.data['cursor']) };
}

async function openSocketIo(cursor?: string) {
  const token = tokenFor('alice', { projects: [PROJECT] });
  const cursors = cursor === undefined ? {} : { [CHANNEL]: cursor };
  const auth = { token, projects: true, cursors };
  const options = { auth, transports: ['websocket'], forceNew: true, autoConnect: false };
  const socket = io(`${urlOf(0)}/events`, options);
  const messages = new Messages();
  socket.io.on('open', () => {
    const engine = socket.io.engine as unknown as { on(name: 'data', got: Got): void };
    engine.on('data', (text) => messages.add(text));
  });
  const connected = new Promise((resolve) => socket.once('connected', resolve));
  socket.connect();
  await connected;
  const client = { [Symbol.asyncDispose]: async () => void socket.disconnect() };
  return { client, messages };
}

type Got = (text: string) => void;

/** Publishes `runs` events by each way in, and compares the bytes on all ways out. */
async function compare(random: Random, from: number, runs: number): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const [raw, socketIo] = [await openRaw(), await openSocketIo()];
  for (const { client } of [raw, socketIo]) stack.use(client);
  const sent: Sent[] = [];
  for (let run = from; run < from + runs; run += 1) {
    for (const way of WAYS_IN) sent.push(await publish(way, run, random));
  }
  for (const { messages } of [raw, socketIo]) {
    await expect.poll(() => messages.size, PATIENCE).toBe(sent.length);
    expect(messages.wrong(sent)).toEqual([]);
  }
  // Events of a plain PUBLISH are not stored, so a resume does not bring them.
  const stored = sent.filter(({ id }) => !id.startsWith('PUBLISH'));
  const [rawAgain, socketIoAgain] = [await openRaw(raw.cursor), await openSocketIo(raw.cursor)];
  for (const { client } of [rawAgain, socketIoAgain]) stack.use(client);
  for (const { messages } of [rawAgain, socketIoAgain]) {
    await expect.poll(() => messages.wrong(stored), PATIENCE).toEqual([]);
  }
  expect((await readHistory()).wrong(stored)).toEqual([]);
}

async function readHistory(): Promise<Messages> {
  const messages = new Messages();
  const history = await fetch(`${urlOf(1)}/api/channels/${CHANNEL}/history?limit=1000`);
  const entries = (await history.text()).split(/(?=\{"type":"x")/);
  for (const entry of entries) messages.add(entry);
  return messages;
}

test(`[EV4.7] random data has the same bytes on all ways through a node (seed ${BYTES_SEED})`, async () => {
  const random = new Random(Number(BYTES_SEED));
  await post(`${urlOf(1)}/api/publish`, START);
  for (let run = 1; run <= Number(BYTES_RUNS); run += RUNS_AT_A_TIME) {
    await compare(random, run, Math.min(RUNS_AT_A_TIME, Number(BYTES_RUNS) + 1 - run));
  }
}, 600_000);
