import { signToken } from '@leque/auth-jwt';
import { ServerProcess, TEST_API_KEY, TEST_JWT_SECRET } from '@leque/testkit';
import manifest from '../../package.json' with { type: 'json' };
import { eventTemplate } from '../workloads/event.ts';
import type { PublishSetup } from '../workloads/setups.ts';
import type { PublisherOptions, RunningPublisher } from './target.ts';

const TOKEN_LIFETIME_S = 86_400;
const ENTRY = 'apps/publisher/src/main.ts';
/** Occurs in the publisher's answer once for each newly stored event, and for each live-only one. */
export const STORED_TEXT = '"duplicate":false';

/** Starts one publisher of Leque in its own process, which requires authorization. */
export async function startPublisher({ redis, port }: PublisherOptions): Promise<RunningPublisher> {
  const env = {
    REDIS_URL: redis.url,
    AUTH_MODE: 'required',
    PUBLISH_API_KEYS: TEST_API_KEY,
    JWT_SECRET: TEST_JWT_SECRET,
    API_RATE_PER_USER: '0', // a single user publishes as fast as it can
    LOG_LEVEL: 'warn',
  };
  const server = await ServerProcess.start({ name: 'publisher', entry: ENTRY, port, env });
  return {
    pid: server.pid,
    versions: { leque: manifest.version, node: process.version },
    flags: `node ${ENTRY} with AUTH_MODE=required PUBLISH_API_KEYS=… API_RATE_PER_USER=0 LOG_LEVEL=warn`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** The Authorization header of a publishing service. */
export async function authorizationOf(credential: PublishSetup['credential']): Promise<string> {
  if (credential === 'api key') return `Bearer ${TEST_API_KEY}`;
  const token = await signToken({
    secret: TEST_JWT_SECRET,
    userId: 'bench',
    projects: [],
    scopes: ['publish:all'],
    expiresInSeconds: TOKEN_LIFETIME_S,
  });
  return `Bearer ${token}`;
}

export interface Requests {
  /** Events in each request; 1 for a single event rather than an array. */
  readonly batch: number;
  readonly channels: number;
  readonly live?: true;
  /** Value of the Authorization header. */
  readonly authorization: string;
}

/** The requests together contain each channel equally often. */
export function publishRequests({ batch, channels, live, authorization }: Requests): Buffer[] {
  const eventOf = (channel: number) => {
    const event = eventTemplate(channel).toString();
    return live ? event.replace(/}$/, ',"live":true}') : event;
  };
  return Array.from({ length: channels }, (_, first) => {
    const events = Array.from({ length: batch }, (_each, index) =>
      eventOf((first + index) % channels),
    );
    return publishRequest(batch === 1 ? events.join() : `[${events.join()}]`, authorization);
  });
}

function publishRequest(body: string, authorization: string): Buffer {
  const head = [
    'POST /api/publish HTTP/1.1',
    'Host: 127.0.0.1',
    `Authorization: ${authorization}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}
