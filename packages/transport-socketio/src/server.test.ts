import { expect, test } from 'vitest';
import { heartbeatTimes } from './server.ts';

test.each([
  [30_000, 25_000, 25_000],
  [10_000, 25_000, 10_000],
])(
  '[WS7.2] of a heartbeat every %i ms and a ping every %i ms, Engine.IO pings every %i ms',
  (...times) => {
    const [heartbeatIntervalMs, pingIntervalMs, intervalMs] = times;
    const limits = { heartbeatIntervalMs, pingIntervalMs, timeoutMs: 90_000 };
    expect(heartbeatTimes(limits as Parameters<typeof heartbeatTimes>[0])).toEqual({
      intervalMs,
      timeoutMs: 90_000,
    });
  },
);
