import { Type } from 'typebox';

/** How long closing everything may take after the drain. */
const LEAVE_TIMEOUT_MS = 10_000;

/** How a process ends. A publisher has no clients to move away, so only the grace concerns it. */
export const DrainSettings = Type.Object({
  DRAIN_GRACE: Type.Number({
    default: 5,
    minimum: 0,
    description:
      'seconds between SIGTERM and the drain: the process serves as before and reports that it is ' +
      'not ready, so that load balancers stop sending it new clients',
  }),
  DRAIN_TIMEOUT: Type.Number({
    default: 30,
    minimum: 0,
    description: 'seconds over which a gateway moves its clients to other nodes before it ends',
  }),
});

interface DrainTimes {
  readonly DRAIN_GRACE: number;
  readonly DRAIN_TIMEOUT?: number;
}

/** Upper bound for stopping a process, in milliseconds: grace, drain and leaving. */
export function stopTimeoutMs({ DRAIN_GRACE, DRAIN_TIMEOUT = 0 }: DrainTimes): number {
  return (DRAIN_GRACE + DRAIN_TIMEOUT) * 1000 + LEAVE_TIMEOUT_MS;
}
