import { StartError } from '@leque/service';
import { compileNative } from '../load/compile-native.ts';
import { channelName } from '../workloads/event.ts';
import { redisRelay } from './lib/redis-relay.ts';

/** The minimum cost of any server: a C program with one write for each client and wake-up. */
export const floor = redisRelay({
  name: 'floor',
  unavailable,
  command: async ({ port, redis, prefix, channels }) => {
    if (channels > 1) throw new RangeError('the floor relays one channel');
    return [
      await compileNative('floor'),
      String(port),
      redis.host,
      String(redis.port),
      prefix + channelName(0),
    ];
  },
  versions: async () => ({}),
  ready: '"type":"connection"',
  flags: 'one thread, one write per client and wake-up, no heartbeats',
});

async function unavailable(): Promise<string | undefined> {
  try {
    await compileNative('floor');
    return undefined;
  } catch (error) {
    if (error instanceof StartError) return error.message;
    throw error;
  }
}
