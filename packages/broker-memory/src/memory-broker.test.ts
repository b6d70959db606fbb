import { type BrokerCluster, describeBrokerContract } from '@leque/testkit/contracts';
import { FakeClock, RecordingSink } from '@leque/testkit/fakes';
import { describe } from 'vitest';
import { MemoryBroker } from './memory-broker.ts';
import { MemoryStore } from './memory-store.ts';

const TTL_MS = 300_000;
const IDEMPOTENCY_TTL_MS = 100_000;
const limit = (size: number) => ({ size, ttlMs: TTL_MS });
const limits = {
  history: { project: limit(1000), user: limit(200), all: limit(200) },
  idempotencyTtlMs: IDEMPOTENCY_TTL_MS,
  firehose: true,
};

async function startCluster(): Promise<BrokerCluster> {
  const clock = new FakeClock();
  const store = new MemoryStore(limits, clock);
  const brokers: MemoryBroker[] = [];
  return {
    async node() {
      const broker = new MemoryBroker(store);
      const sink = new RecordingSink();
      await broker.start(sink);
      brokers.push(broker);
      return { broker, sink };
    },
    expireHistory: async () => clock.advance(TTL_MS),
    expireIdempotencyKey: async () => clock.advance(IDEMPOTENCY_TTL_MS),
    async [Symbol.asyncDispose]() {
      for (const broker of brokers) await broker.close();
    },
  };
}

describe('MemoryBroker', () => describeBrokerContract(startCluster));
