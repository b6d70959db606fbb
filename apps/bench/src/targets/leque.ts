import { respCommand } from '@leque/lab';
import { ServerProcess, TEST_JWT_SECRET } from '@leque/testkit';
import manifest from '../../package.json' with { type: 'json' };
import { LequeClients } from './leque-clients.ts';
import { startPublisher } from './leque-publisher.ts';
import type { RunningTarget, Target, TargetContext } from './target.ts';

const ENTRY = 'apps/gateway/src/main.ts';
const DEFAULT_PREFIX = 'leque:';
/** The message id of every event. */
const MESSAGE_ID = '0000000000000000';
/** The start of the answer of `leque_append` for one event: an array of epoch and offset. */
const ANSWER = '*2';
/** More than any workload connects. */
const MAX_CONNECTIONS = '1000000';
/** Clients may connect all at once when that is not measured. */
const ALL_AT_ONCE = { ADMISSION_RATE: '100000', ADMISSION_BURST: '100000' };
const FAR_APART_S = 3600;
/** Heartbeat intervals until a timeout, as in the default configuration. */
const SILENT_INTERVALS = 3;
/** A sample in the text format of Prometheus. */
const SAMPLE = /^([a-z_0-9]+)(?:\{.*\})? (\S+)$/gm;

/** One gateway of Leque as a process of its own, with the stored path of publications. */
export const leque: Target = {
  name: 'leque',
  formats: ['ws', 'socketio'],
  takesGrants: true,
  unavailable: async () => undefined,
  start,
  startPublisher,
};

async function start(context: TargetContext): Promise<RunningTarget> {
  const { port, settings, personal = false } = context;
  const env = environment(context);
  const server = await ServerProcess.start({ name: 'leque', entry: ENTRY, port, env });
  const address = `127.0.0.1:${port}`;
  const prefix = settings['REDIS_KEY_PREFIX'] ?? DEFAULT_PREFIX;
  const clients = new LequeClients(address, personal);
  return {
    pids: [server.pid],
    versions: { leque: manifest.version, node: process.version },
    flags: `node ${ENTRY} with ${flagsOf(env)}`,
    addresses: [address],
    client: (format, channels, index) => clients.script(format, channels, index),
    publishing: {
      address: `${context.redis.host}:${context.redis.port}`,
      error: '-ERR',
      ack: ANSWER,
    },
    publication: (channel, event) =>
      respCommand(
        'FCALL',
        'leque_append',
        '1',
        `${prefix}{${clients.channelOf(channel)}}`,
        'bench',
        MESSAGE_ID,
        event,
      ),
    metrics: () => readMetrics(server.url),

    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function environment(context: TargetContext) {
  const { redis, settings, heartbeatSeconds = FAR_APART_S, storm = false } = context;
  return {
    ...(storm ? {} : ALL_AT_ONCE),
    ...(heartbeatSeconds === FAR_APART_S && { WEBSOCKET_PING_INTERVAL: String(FAR_APART_S) }),
    REDIS_URL: redis.url,
    AUTH_MODE: 'required',
    JWT_SECRET: TEST_JWT_SECRET,
    LOG_LEVEL: 'warn',
    WEBSOCKET_MAX_CONNECTIONS: MAX_CONNECTIONS,
    MAX_CONNECTIONS_PER_USER: '0',
    WEBSOCKET_HEARTBEAT_INTERVAL: String(heartbeatSeconds),
    WEBSOCKET_TIMEOUT: String(heartbeatSeconds * SILENT_INTERVALS),
    ...settings,
  };
}

/** Leaves out secrets and values that differ in each run. */
function flagsOf(env: Readonly<Record<string, string>>): string {
  const hidden = ['JWT_SECRET', 'REDIS_URL', 'REDIS_KEY_PREFIX'];
  const shown = Object.entries(env).filter(([name]) => !hidden.includes(name));
  return shown.map(([name, value]) => `${name}=${value}`).join(' ');
}

/**
 * The sum of the samples of each name over all labels. Reading resets metrics that cover the time
 * since the last reading.
 */
async function readMetrics(url: string): Promise<Record<string, number>> {
  const response = await fetch(`${url}/metrics`);
  const metrics: Record<string, number> = {};
  for (const [, name = '', value] of (await response.text()).matchAll(SAMPLE)) {
    metrics[name] = (metrics[name] ?? 0) + Number(value);
  }
  return metrics;
}
