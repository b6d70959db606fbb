import { freePorts } from '@leque/testkit';
import { describeOnOwnRedis } from '@leque/testkit/contracts';
import { expect, test } from 'vitest';
import { measureFanOut } from '../src/measuring/measure-fan-out.ts';
import { startOwnRedis } from '../src/measuring/own-redis.ts';
import { Resumes } from '../src/measuring/resumes.ts';
import type { Measurement } from '../src/results/measurement.ts';
import { leque } from '../src/targets/leque.ts';
import { largeEvent } from '../src/workloads/event.ts';
import { resuming } from '../src/workloads/setups.ts';

const CHANNEL = 1;
const TIMEOUT_MS = 60_000;

describeOnOwnRedis('long resumes', () => {
  test(
    'are measured beside clients that lose nothing',
    async () => {
      const setup = { ...resuming('2 resumes', 2, 120), connections: 20 };
      const { signal } = new AbortController();
      const context = { seconds: 0.5, warmupSeconds: 0.1, signal };
      const measured: Measurement[] = [];
      for await (const each of measureFanOut(leque, setup, context)) measured.push(each);
      expect(measured).toHaveLength(1);
      expect(measured[0]?.verdict, measured[0]?.reason).not.toBe('failed');
      expect(measured[0]?.figures).toMatchObject({
        resumeSeconds: expect.any(Number),
        resumeMbPerSecond: expect.any(Number),
      });
    },
    TIMEOUT_MS,
  );

  test(
    'count events that are missing, double or out of order',
    async () => {
      await using redis = await startOwnRedis();
      const port = await freePorts(1);
      await using server = await leque.start({ redis, port, channels: 2, settings: {} });
      const numbers = [1, 3, 2, 2];
      const publication = (channel: number) =>
        server.publication(channel, largeEvent(channel, numbers.shift() ?? 0));
      const options = { server: { ...server, publication }, channel: CHANNEL };
      await using resumes = await Resumes.prepare({ ...options, clients: 1, events: 4 });
      resumes.start();
      const { faults } = await resumes.stop();
      expect(faults).toEqual({ lost: 1, duplicates: 1, reordered: 1, closed: 0 });
    },
    TIMEOUT_MS,
  );
});
