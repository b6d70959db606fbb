import { systemClock } from '@leque/core';
import { startRedis } from '@leque/testkit';
import { describeOnOwnRedis } from '@leque/testkit/contracts';
import { RecordingTelemetry } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { endpointOf } from '../../src/connection/client-options.ts';
import { RedisConnection } from '../../src/connection/redis-connection.ts';

const NO_ACCESS = { username: undefined, password: undefined, tls: undefined };

describeOnOwnRedis('RedisConnection', () => {
  test('[GAP] replaces a connection that was being made when the master changed', async () => {
    await using stack = new AsyncDisposableStack();
    const redis = stack.use(await startRedis({ own: true }));
    const telemetry = new RecordingTelemetry();
    const endpoint = endpointOf({ host: '127.0.0.1', port: redis.port }, NO_ACCESS);
    const target = { endpoint, role: 'subscriber', server: '' } as const;
    const connection = new RedisConnection(target, { telemetry, clock: systemClock });
    stack.defer(() => connection.close());
    let made = 0;
    connection.redis.on('connect', () => {
      made += 1;
    });
    await redis.pause();
    const connecting = connection.connect();
    await expect.poll(() => connection.redis.status).toBe('connect');
    connection.leave('another server is the master now');
    await redis.resume();
    await connecting;
    await expect.poll(() => ({ made, ready: connection.ready })).toEqual({ made: 2, ready: true });
    const reported = telemetry.facts.map(({ type }) => type);
    expect(reported).toEqual(['broker_disconnected', 'broker_connected']);
  });
});
