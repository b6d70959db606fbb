import type { Generator, GeneratorSpec, Member } from '../../src/load/generator.ts';
import { READY_TEXT, type Relay } from './relay.ts';

export interface Load {
  /** Per connection. */
  readonly channels: readonly (readonly number[])[];
  /** Characters in each publication beside its stamp. */
  readonly padding: number;
  readonly sample: number;
  readonly rest: GeneratorSpec['rest'];
  readonly stalled: number;
  readonly replies?: GeneratorSpec['replies'];
}

/** A spec for connections to a relay, each of a kind of its own. */
export function specFor(relay: Relay, load: Load): GeneratorSpec {
  const { channels, sample, rest, stalled, replies = {} } = load;
  const channelCount = Math.max(...channels.flat()) + 1;
  return {
    addresses: [relay.address],
    kinds: channels.map((list, index) => ({
      request: upgrade(`/${index}/${list.join(',')}`),
      afterUpgrade: Buffer.alloc(0),
      ready: READY_TEXT,
    })),
    members: channels.map((list, index): Member => ({ kind: index, format: 0, channels: list })),
    publishing: { address: relay.publishAddress, error: '-ERR', ack: '+OK' },
    publications: Array.from({ length: channelCount }, (_, channel) =>
      Buffer.from(`${publication(channel, load.padding)}\n`),
    ),
    classes: [{ first: 0, last: channelCount - 1 }],
    sample,
    rest,
    replies,
    stalled,
    connectBatch: 2,
    retryMs: 0,
  };
}

/** A short run: 40 publications, of which 30 are measured. */
export function shortRun(generator: Generator) {
  return generator.run({ seconds: 0.3, warmupSeconds: 0.1, rates: [100] });
}

function publication(channel: number, padding: number): string {
  const stamp = { t: 'T'.repeat(16), c: String(channel).padStart(5, '0'), n: 'N'.repeat(10) };
  return JSON.stringify({ data: { ...stamp, pad: 'x'.repeat(padding) } });
}

function upgrade(path: string): Buffer {
  const head = [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n`);
}
