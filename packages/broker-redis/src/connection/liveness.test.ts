import { EventEmitter } from 'node:events';
import { FakeClock } from '@leque/testkit/fakes';
import type { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { Liveness } from './liveness.ts';

/** The part of an ioredis client that `Liveness` uses. */
class FakeRedis extends EventEmitter {
  status = 'ready';
  readonly stream = { bytesRead: 0 };
  disconnects = 0;
  reply: () => Promise<unknown> = async () => 'PONG';

  ping(): Promise<unknown> {
    return this.reply();
  }

  disconnect(): void {
    this.disconnects += 1;
  }
}

function setUp() {
  const redis = new FakeRedis();
  const clock = new FakeClock();
  const reasons: string[] = [];
  let doubts = 0;
  const liveness = new Liveness(redis as unknown as Redis, {
    clock,
    onReconnect: (reason) => reasons.push(reason),
    onDoubt: () => {
      doubts += 1;
    },
  });
  liveness.startPinging();
  const seconds = async (count: number) => {
    for (let n = 0; n < count; n += 1) {
      clock.advance(1000);
      await new Promise(setImmediate); // the outcome of a ping
    }
  };
  return { redis, clock, liveness, reasons, seconds, doubts: () => doubts };
}

const fails = async () => {
  throw new Error('PING took longer than 800 ms');
};
const refuses = async () => {
  throw Object.assign(new Error('NOPERM'), { name: 'ReplyError' });
};

describe('Liveness', () => {
  test('[HON] replaces a connection on which three pings failed', async () => {
    const { redis, liveness, reasons, seconds } = setUp();
    redis.reply = fails;
    await seconds(2);
    expect([liveness.isDoubtful, redis.disconnects]).toEqual([true, 0]);
    await seconds(1);
    expect([reasons, redis.disconnects]).toEqual([['Redis does not answer'], 1]);
  });

  test('counts only pings that fail one after the other', async () => {
    const { redis, liveness, seconds, doubts } = setUp();
    redis.reply = fails;
    await seconds(2);
    expect(doubts()).toBe(1);
    redis.reply = async () => 'PONG';
    await seconds(1);
    expect(liveness.isDoubtful).toBe(false);
    redis.reply = fails;
    await seconds(2);
    expect(redis.disconnects).toBe(0);
  });

  test('takes a refusal for an answer', async () => {
    const { redis, seconds } = setUp();
    redis.reply = refuses;
    await seconds(5);
    expect(redis.disconnects).toBe(0);
  });

  test('[HON] replaces a connection whose server never greets', async () => {
    const { redis, seconds } = setUp();
    redis.status = 'connect';
    await seconds(3);
    expect(redis.disconnects).toBe(1);
  });

  test('waits for a server that answers the greeting while it loads its data', async () => {
    const { redis, seconds } = setUp();
    redis.status = 'connect';
    for (let n = 0; n < 5; n += 1) {
      redis.stream.bytesRead += 100;
      await seconds(1);
    }
    expect(redis.disconnects).toBe(0);
  });

  test('replaces a connection that is being made once it is ready', () => {
    const { redis, liveness, reasons } = setUp();
    redis.status = 'connecting';
    liveness.leave('another master');
    expect([liveness.isOutdated, redis.disconnects]).toEqual([true, 0]);
    redis.emit('ready');
    expect([reasons, redis.disconnects]).toEqual([['another master'], 1]);
    redis.emit('close');
    expect(liveness.isOutdated).toBe(false);
  });

  test('[LIVE] has no timer left when it is stopped', async () => {
    const { clock, liveness } = setUp();
    liveness.stop();
    expect(clock.pending).toBe(0);
  });
});
