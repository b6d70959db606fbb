import { PROCESS_LOG_LEVELS } from '@leque/protocol';
import { Type } from 'typebox';

/** Matches an address or a name as `HOST` has it: IPv6 addresses have brackets in URLs only. */
export const UNBRACKETED = '^[^\\[\\]/\\s]+$';
/** Time that closing everything may take after the drain. */
const LEAVE_TIMEOUT_MS = 10_000;

/**
 * The variables that every process has; each app has a default port and node id of its own. The
 * description of a variable with a pattern must also make sense after the words "must be", because
 * error messages quote it.
 */
export function processSettings(defaultPort: number, defaultNodeId: string) {
  return {
    PORT: Type.Integer({
      default: defaultPort,
      minimum: 0,
      maximum: 65_535,
      description: 'port to listen on; 0 chooses a free one',
    }),
    HOST: Type.String({
      default: '0.0.0.0',
      pattern: UNBRACKETED,
      description: 'the address to listen on, without brackets; `::` listens on IPv6 and IPv4',
    }),
    BASE_PATH: Type.Optional(
      Type.String({
        pattern: '^(/[A-Za-z0-9._~-]+)+$',
        description:
          'the path under which a proxy passes on requests without stripping it, such as `/realtime`; ' +
          'paths without it are served as well',
      }),
    ),
    OPERATIONS_PORT: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65_535,
        description:
          'second port, for `/metrics`, `/docs`, `/openapi.json`, `/api/nodes`, `/api/log-level` and ' +
          '`/api/messages`, which PORT does not serve then; both serve `/healthz` and `/readyz`',
      }),
    ),
    LOG_LEVEL: Type.Enum([...PROCESS_LOG_LEVELS], {
      default: 'info',
      description:
        'least severe log level that is written; `leque log-level` changes it at run time',
    }),
    NODE_ID: Type.String({
      default: defaultNodeId,
      pattern: '^[A-Za-z0-9._-]{1,64}$',
      description: '1 to 64 letters, digits and . _ - that name this process in logs and leases',
    }),
  };
}

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
