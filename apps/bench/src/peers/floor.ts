import { compileNative } from '../compile-native.ts';
import { channelName } from '../event.ts';
import { redisRelay } from './redis-relay.ts';

/** No product, but what any must cost: a C program with one write per client and wake-up. */
export const floor = redisRelay({
  name: 'floor',
  unavailable: async () =>
    (await compileNative('floor')) === undefined
      ? 'it is a C program for Linux, and there is no C compiler (apt-get install gcc)'
      : undefined,
  command: async ({ port, redis, prefix, channels }) => {
    if (channels > 1) throw new RangeError('the floor relays one channel');
    const program = (await compileNative('floor')) ?? 'floor';
    return [program, String(port), redis.host, String(redis.port), prefix + channelName(0)];
  },
  versions: async () => ({}),
  ready: '"type":"connection"',
  flags: 'one thread, one write per client and wake-up, no heartbeats',
});
