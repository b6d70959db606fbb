import { describe, expect, test } from 'vitest';
import { startGenerator } from '../src/load/generator.ts';
import {
  frame,
  type Publication,
  READY_TEXT,
  type RelayClient,
  startRelay,
} from './support/relay.ts';
import { type Load, shortRun, specFor } from './support/relayed-load.ts';

const PUBLISHED = 40;
const everyone: Load = {
  channels: [[0], [0], [0], [0]],
  padding: 60,
  sample: 1,
  rest: 'frames',
  stalled: 0,
};
const faultless = { lost: 0, duplicates: 0, reordered: 0, strays: 0, closed: 0, publishErrors: 0 };

/** How closely the generator looks at connections 1 to 3. */
const parsed = { way: 'parsed', sample: 1, rest: 'frames' } as const;
const walked = { way: 'walked', sample: 9, rest: 'frames' } as const;
const counted = { way: 'counted by bytes', sample: 9, rest: 'bytes' } as const;

const ways = [parsed, walked, counted];

describe.concurrent('the load generator', () => {
  test.each(ways)('counts every delivery once, connections being $way', async (way) => {
    await using relay = await startRelay({});
    await using generator = await startGenerator(specFor(relay, { ...everyone, ...way }));
    expect(generator.ready).toMatchObject({ connections: 4, failed: 0 });
    const first = await shortRun(generator);
    expect(first).toMatchObject({ ...faultless, published: PUBLISHED, acked: PUBLISHED });
    expect(first).toMatchObject({ expected: 4 * PUBLISHED, delivered: 4 * PUBLISHED });
    expect(first.deliveredMeasured).toBeGreaterThan(4 * 25);
    const second = await shortRun(generator); // numbers count on
    expect(second).toMatchObject({ ...faultless, delivered: 4 * PUBLISHED });
  });

  test('gives the latencies of each class of channels', async () => {
    await using relay = await startRelay({});
    const spec = specFor(relay, { ...everyone, channels: [[0, 1, 2], [0], [2, 1]] });
    const classes = [
      { first: 0, last: 1 },
      { first: 2, last: 2 },
    ];
    await using generator = await startGenerator({ ...spec, classes });
    const plan = { seconds: 0.3, warmupSeconds: 0.1, rates: [100, 50] };
    const marks: string[] = [];
    const result = await generator.run(
      plan,
      () => marks.push('started'),
      () => marks.push('stopped'),
    );
    expect(marks).toEqual(['started', 'stopped']);
    expect(result).toMatchObject({ ...faultless, published: 60, expected: 2 * 60, seconds: 0.3 });
    expect(result.classes).toMatchObject([
      { class: 0, published: 40, delivered: 80 },
      { class: 1, published: 20, delivered: 40 },
    ]);
    const measured = result.classes.map(({ histogram }) =>
      histogram.reduce((sum, [, count]) => sum + count, 0),
    );
    expect(measured).toEqual([2 * 30, 2 * 15]);
    const bounds = result.classes[0]?.histogram.map(([bound]) => bound) ?? [];
    expect(bounds).toEqual(bounds.toSorted((a, b) => a - b));
    expect(bounds.at(-1)).toBeLessThan(2_000_000);
  });

  test.each(ways)(
    'counts what is lost and what comes twice, connections being $way',
    async (way) => {
      await using relay = await startRelay({
        deliver(client, publication) {
          const { index, socket } = client;
          if (index === 1 && publication.number === 5) return;
          socket.send(publication.text);
          if (index === 2 && publication.number === 7) socket.send(publication.text);
        },
      });
      await using generator = await startGenerator(specFor(relay, { ...everyone, ...way }));
      const result = await shortRun(generator);
      expect(result).toMatchObject({ ...faultless, lost: 1, duplicates: 1 });
      expect(result).toMatchObject({ expected: 4 * PUBLISHED, delivered: 4 * PUBLISHED - 1 });
    },
  );

  test('counts what comes out of order, and what nobody asked for', async () => {
    const kept = new Map<number, Publication>();
    await using relay = await startRelay({
      deliver({ index, socket }, publication) {
        if (index === 1 && publication.number === 5) kept.set(index, publication);
        else socket.send(publication.text);
        if (index === 1 && publication.number === 8) socket.send(kept.get(1)?.text ?? '');
        if (index === 2 && publication.number === 9) {
          socket.send(publication.text.replace('"c":"00000"', '"c":"00001"'));
        }
      },
    });
    const channels = [[0], [0], [0], [1]];
    await using generator = await startGenerator(specFor(relay, { ...everyone, channels }));
    expect(await shortRun(generator)).toMatchObject({ ...faultless, reordered: 1, strays: 1 });
  });

  test.each([10, 200, 70_000])(
    'walks frames with %d bytes more, however they are cut',
    async (padding) => {
      await using relay = await startRelay({
        deliver: (client, { text, number }) => sendInPieces(client, frame(text), 1 + (number % 67)),
      });
      await using generator = await startGenerator(specFor(relay, { ...everyone, padding }));
      expect(await shortRun(generator)).toMatchObject({ ...faultless, delivered: 4 * PUBLISHED });
    },
  );

  test.each(ways)('takes frames that come together, connections being $way', async (way) => {
    const kept = new Map<number, Buffer[]>();
    await using relay = await startRelay({
      deliver({ index, stream }, { text, number }) {
        const frames = [...(kept.get(index) ?? []), frame(text)];
        kept.set(index, number % 4 === 0 ? [] : frames);
        if (number % 4 === 0) stream.write(Buffer.concat(frames));
      },
    });
    await using generator = await startGenerator(specFor(relay, { ...everyone, ...way }));
    expect(await shortRun(generator)).toMatchObject({ ...faultless, delivered: 4 * PUBLISHED });
  });

  test('finds publications that share a frame, and that are cut in two by frames', async () => {
    const kept = new Map<number, string>();
    await using relay = await startRelay({
      deliver({ index, socket }, { text, number }) {
        const texts = `${kept.get(index) ?? ''}${text}\n`;
        kept.set(index, number % 4 === 0 ? '' : texts);
        if (number % 4 !== 0) return;
        const cut = texts.indexOf('"c":') + (number % 8);
        socket.send(texts.slice(0, cut));
        socket.send(texts.slice(cut));
      },
    });
    await using generator = await startGenerator(specFor(relay, { ...everyone, sample: 2 }));
    expect(await shortRun(generator)).toMatchObject({ ...faultless, delivered: 4 * PUBLISHED });
  });

  test.each(ways)(
    'keeps its place when more follows the ready text, connections being $way',
    async (way) => {
      const early = frame('{"t":"0000000000000001","c":"00000","n":"0000000099"}');
      await using relay = await startRelay({
        welcome({ stream }) {
          stream.write(Buffer.concat([frame(READY_TEXT), early, early.subarray(0, 20)]));
          setTimeout(() => stream.write(early.subarray(20)), 50);
        },
      });
      await using generator = await startGenerator(specFor(relay, { ...everyone, ...way }));
      expect(await generator.hold(0.2)).toMatchObject({ closed: 0 });
      expect(await shortRun(generator)).toMatchObject({ ...faultless, delivered: 4 * PUBLISHED });
    },
  );

  test('leaves stalled connections out of the counts, and tells which were closed', async () => {
    await using relay = await startRelay({
      deliver({ index, socket }, { text }) {
        // Number 3 stalls as number 2 does, but is given up.
        if (index === 3 && socket.bufferedAmount > 1_000_000) socket.terminate();
        else socket.send(text);
      },
    });
    const load = { ...everyone, padding: 400_000, stalled: 2 };
    await using generator = await startGenerator(specFor(relay, load));
    const result = await shortRun(generator);
    expect(result).toMatchObject({ ...faultless, expected: 2 * PUBLISHED, stalledClosed: 1 });
    expect(await shortRun(generator)).toMatchObject({ ...faultless, expected: 2 * PUBLISHED });
  });

  test('counts connections that end during a run, and what they lose', async () => {
    await using relay = await startRelay({
      deliver({ index, socket }, { text, number }) {
        if (index === 2 && number === 11) socket.terminate();
        else socket.send(text);
      },
    });
    await using generator = await startGenerator(specFor(relay, everyone));
    const { lost, closed } = await shortRun(generator);
    expect({ lost, closed }).toEqual({ lost: PUBLISHED - 10, closed: 1 });
    // From then on nothing is expected of it.
    expect(await shortRun(generator)).toMatchObject({ lost: 0, expected: 3 * PUBLISHED });
  });

  test('counts publications that the server does not take', async () => {
    await using relay = await startRelay({
      answer: ({ number }) => (number === 3 ? '-ERR no\n' : '+OK\n'),
    });
    await using generator = await startGenerator(specFor(relay, everyone));
    const { acked, publishErrors } = await shortRun(generator);
    expect({ acked, publishErrors }).toEqual({ acked: PUBLISHED - 1, publishErrors: 1 });
  });

  test('says how many connections failed, and why the first did', async () => {
    await using relay = await startRelay({ refuse: (index) => index === 1 });
    await using generator = await startGenerator(specFor(relay, everyone));
    expect(generator.ready).toMatchObject({ connections: 3, failed: 1 });
    expect(generator.ready.reason).toContain('503');
    expect(await shortRun(generator)).toMatchObject({ ...faultless, expected: 3 * PUBLISHED });
  });

  test('lets clients that are refused come again', async () => {
    const attempts = [0, 0, 0, 0];
    const refuse = (index: number) => {
      attempts[index] = (attempts[index] ?? 0) + 1;
      return (attempts[index] ?? 0) <= index;
    };
    await using relay = await startRelay({ refuse });
    await using generator = await startGenerator({ ...specFor(relay, everyone), retryMs: 50 });
    expect(generator.ready).toMatchObject({ connections: 4, failed: 0, refused: 1 + 2 + 3 });
    expect(await shortRun(generator)).toMatchObject({ ...faultless, expected: 4 * PUBLISHED });
  });

  test('answers pings, of WebSocket and of those above, while it holds', async () => {
    const texts: string[] = [];
    await using relay = await startRelay({
      onText: (_client, text) => texts.push(text),
    });
    // A masked text frame with the payload 3.
    const replies = { '2': Buffer.from('818100000000', 'hex') };
    replies['2'] = Buffer.concat([replies['2'], Buffer.from('3')]);
    await using generator = await startGenerator(
      specFor(relay, { ...everyone, replies, sample: 2 }),
    );
    const pongs: string[] = [];
    const held = generator.hold(0.5);
    setTimeout(() => {
      for (const { socket } of relay.clients) {
        socket.on('pong', (payload) => pongs.push(String(payload)));
        socket.ping('are you there');
        socket.send('2');
      }
    }, 200);
    expect(await held).toEqual({ closed: 0, frames: 8 });
    expect(pongs).toEqual(Array.from({ length: 4 }, () => 'are you there'));
    expect(texts).toEqual(['3', '3', '3', '3']);
  });

  test('refuses a spec that is not sound', async () => {
    await using relay = await startRelay({});
    const spec = specFor(relay, everyone);
    const publications = [Buffer.from('neither time nor number\n')];
    await expect(startGenerator({ ...spec, publications })).rejects.toThrow(/publication without/);
  });
});

/** With pauses, so that they arrive as they are cut; several publications may be under way. */
const sending = new WeakMap<RelayClient, Promise<void>>();
function sendInPieces(client: RelayClient, bytes: Buffer, cut: number): void {
  const size = Math.max(cut, Math.ceil(bytes.length / 20));
  const send = async () => {
    for (let at = 0; at < bytes.length; at += size) {
      client.stream.write(bytes.subarray(at, at + size));
      await new Promise(setImmediate);
    }
  };
  sending.set(client, (sending.get(client) ?? Promise.resolve()).then(send));
}
