import { encodeTextFrame, Publication } from '@leque/core';
import type { Position, ServerMessage } from '@leque/protocol';
import { expect, test } from 'vitest';
import { encodeAnswer, offsetFormat } from '../wire/socketio-format.ts';
import type { SocketIoFrame } from '../wire/socketio-frame.ts';
import { Progress } from './progress.ts';
import { RecoveryIds } from './recovery-ids.ts';

const ids = new RecoveryIds('a secret');
const OWN = 'user:u';
const PROJECTS = ['project:A', 'project:B', 'project:C'];
const at = (offset: number): Position => ({ epoch: 'e', offset });
const isTask = (channel: string, offset: number) => channel === OWN && offset % 2 === 0;

function frameFor(channel: string, offset: number): SocketIoFrame {
  const type = isTask(channel, offset) ? 'task.x' : 'x';
  const json = JSON.stringify({ type, data: { offset } });
  const publication = new Publication({ channel, type, position: at(offset), json });
  return publication.frameIn(offsetFormat) as SocketIoFrame;
}

/** Does what the official client does: it keeps the string at the end of the last event. */
class Client {
  offset: string | undefined;
  /** `CHANNEL OFFSET NAME`. */
  readonly seen: string[] = [];
  /** By channel, after which offset it has been subscribed. */
  readonly subscribed: Map<string, number>;
  /** Packets that still reach it. */
  patience = Number.POSITIVE_INFINITY;

  constructor(channels: readonly string[]) {
    this.subscribed = new Map(channels.map((channel) => [channel, 5]));
  }

  /** The events received in a channel since its subscription. */
  seenIn(channel: string): string[] {
    const since = this.subscribed.get(channel) ?? 0;
    return this.seen.filter((each) => {
      const [of, offset] = each.split(' ');
      return of === channel && Number(offset) > since;
    });
  }

  get(packets: readonly string[]): void {
    for (const packet of packets) if (this.patience-- > 0) this.#take(packet);
  }

  #take(packet: string): void {
    const [name, payload, offset] = JSON.parse(packet.slice('2/events,'.length));
    if (name === 'x' || name.startsWith('task.')) {
      this.seen.push(`${payload.channel} ${payload.data.offset} ${name}`);
    }
    if (name === 'subscribed') this.subscribed.set(payload.channel, payload.since);
    if (name === 'unsubscribed') this.subscribed.delete(payload.channel);
    if (offset !== undefined) this.offset = offset;
  }
}

/** A node's side of the client's session; the history is endless. */
class Node {
  readonly tops = new Map([OWN, ...PROJECTS].map((channel) => [channel, 5]));
  readonly client: Client;
  readonly pid: string;
  #progress: Progress;
  #positions: Map<string, number>;

  /** @param base the channels in the `pid` */
  constructor(base: readonly string[]) {
    const issued = ids.issue('sid', new Map(base.map((channel) => [channel, at(5)])));
    if (issued === undefined) throw new Error('no pid');
    this.pid = issued.pid;
    this.client = new Client(base);
    this.#positions = new Map(base.map((channel) => [channel, 5]));
    this.#progress = new Progress(issued.id, base);
    this.#answer('connected', {});
  }

  publish(channel: string, count: number): void {
    this.tops.set(channel, (this.tops.get(channel) ?? 0) + count);
    this.#bring(channel);
  }

  subscribe(channel: string): void {
    if (this.#positions.has(channel)) return;
    const top = this.tops.get(channel) ?? 0;
    this.#positions.set(channel, top);
    this.#progress.move(channel, `e.${top}`);
    this.#answer('subscribed', { channel, since: top });
  }

  unsubscribe(channel: string): void {
    this.#positions.delete(channel);
    this.#progress.leave(channel);
    this.#answer('unsubscribed', { channel });
  }

  /** The client comes back with what it has got. */
  recover(order: (channels: string[]) => string[]): void {
    const { client, pid } = this;
    client.patience = Number.POSITIVE_INFINITY;
    const lost = ids.read({ pid, offset: client.offset }, 'u');
    if (lost === undefined) throw new Error(`no state in ${client.offset}`);
    const present = [...lost.positions].filter((stand) => stand[1] !== undefined);
    this.#positions = new Map(present.map(([channel, stand]) => [channel, stand?.offset ?? 0]));
    expect(new Set(this.#positions.keys())).toEqual(new Set(client.subscribed.keys()));
    this.#progress = Progress.of(lost);
    this.#answer('connected', {});
    for (const channel of order([...this.#positions.keys()])) this.#bring(channel);
  }

  /** The events that the client should have received in a channel. */
  allIn(channel: string): string[] {
    const since = this.client.subscribed.get(channel) ?? 0;
    const count = (this.tops.get(channel) ?? 0) - since;
    const offsets = Array.from({ length: count }, (_, n) => since + 1 + n);
    return offsets.flatMap((offset) => {
      const names = isTask(channel, offset) ? ['task.x', 'task.event'] : ['x'];
      return names.map((name) => `${channel} ${offset} ${name}`);
    });
  }

  /** The events between the session's position and the top, as one batch. */
  #bring(channel: string): void {
    const from = this.#positions.get(channel);
    if (from === undefined) return;
    const top = this.tops.get(channel) ?? 0;
    const frames = Array.from({ length: top - from }, (_, n) => frameFor(channel, from + 1 + n));
    this.#positions.set(channel, top);
    const [only] = frames;
    if (only === undefined) return;
    const room = Buffer.alloc(frames.reduce((sum, { byteLength }) => sum + byteLength, 0));
    this.#send(frames.length === 1 ? only : (offsetFormat.join(frames, room) as SocketIoFrame));
  }

  #send(shared: SocketIoFrame): void {
    const limit = shared.byteLength + this.#progress.stampBytesOf(shared);
    const frame = this.#progress.stamp(shared);
    expect(frame.byteLength).toBeLessThanOrEqual(limit);
    expect(frame.wire).toEqual(
      Buffer.concat(frame.packets.map((packet) => encodeTextFrame(`4${packet}`))),
    );
    this.client.get(frame.packets);
  }

  #answer(name: ServerMessage, payload: object): void {
    this.client.get(encodeAnswer(name, payload, this.#progress.takeOffset()).packets);
  }
}

/** Yields the same numbers for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Something happens, and perhaps the client is cut off in the midst of it, and comes back. */
function step(node: Node, random: (below: number) => number): void {
  const anyOf = (channels: string[]) => channels[random(channels.length)] ?? OWN;
  const { client } = node;
  // A disconnected client receives nothing more.
  if (client.patience === Number.POSITIVE_INFINITY && random(6) === 0) client.patience = random(4);
  const what = random(4);
  if (what === 0) node.subscribe(anyOf([OWN, ...PROJECTS]));
  else if (what === 1) node.unsubscribe(anyOf([OWN, ...PROJECTS]));
  else node.publish(anyOf([OWN, ...PROJECTS]), 1 + random(3));
  if (client.patience !== Number.POSITIVE_INFINITY && random(2) === 0) {
    node.recover((channels) => channels.sort(() => random(3) - 1));
  }
}

test.each(Array.from({ length: 50 }, (_, seed) => seed))(
  '[GAP] [DUP] [ORD] [IO8] wherever a client is cut off, its offset says what it has seen (seed %i)',
  (seed) => {
    const random = randomOf(seed);
    const node = new Node(seed % 2 === 0 ? [OWN] : [OWN, ...PROJECTS.slice(1)]);
    const { client } = node;
    for (let n = 0; n < 200; n += 1) step(node, random);
    node.recover((channels) => channels);
    for (const channel of client.subscribed.keys()) {
      expect(client.seenIn(channel)).toEqual(node.allIn(channel));
    }
    expect(new Set(client.seen).size).toBe(client.seen.length);
  },
);

test('[IO8.4] frames are shared while one channel has moved', () => {
  const progress = new Progress('id', [OWN, 'project:A']);
  const shared = frameFor('project:A', 6);
  expect(progress.stamp(shared)).toBe(shared);
  expect(progress.stamp(frameFor(OWN, 7))).not.toBe(frameFor(OWN, 7));
});

test('[GAP] [MEM] a client in more channels than an offset names is not recovered from it', () => {
  const progress = new Progress('id', [OWN]);
  let frame = frameFor(OWN, 6);
  for (let n = 0; n < 40; n += 1) frame = progress.stamp(frameFor(`project:${n}`, 1));
  const issued = ids.issue('sid', new Map([[OWN, at(5)]]));
  const offset = JSON.parse(frame.packets[0]?.slice('2/events,'.length) ?? '')[2];
  expect(offset).toMatch(/^project:39=e\.1;\*;#id$/);
  expect(ids.read({ pid: issued?.pid, offset }, 'u')).toBeUndefined();
});

test('[IO8.3] a channel that ended with its right is named so, also by later offsets', () => {
  const base = new Map([OWN, 'project:A', 'project:B'].map((channel) => [channel, at(5)]));
  const issued = ids.issue('sid', base);
  const progress = new Progress(issued?.id ?? '', base.keys());
  progress.end('project:A');
  progress.keepOnly(new Set([OWN, 'project:B']));
  expect(progress.takeOffset()).toContain(';project:A=~;');
  const offset = `;project:A=~;#${issued?.id}`;
  const lost = ids.read({ pid: issued?.pid, offset }, 'u');
  if (lost === undefined) throw new Error('it was not read');
  const next = Progress.of(lost);
  expect(next.takeOffset()).toContain(';project:A=~;');
  next.move('project:A', 'e.9');
  expect(next.takeOffset()).toContain(';project:A=e.9;');
});
