import { spawnSync } from 'node:child_process';
import { allOrNone, owned } from '../lib/disposing.ts';
import { eventually } from '../lib/eventually.ts';
import { ask } from './ask.ts';
import { type Certificates, makeCertificates } from './certificates.ts';
import { dataConfig, onFreePorts, RedisServer } from './redis-server.ts';
import type { TestRedis } from './test-redis.ts';

const NAME = 'redis.test';
const MASTER = 'tls-master';
const PROBE_TIMEOUT_MS = 5000;

/** Servers that ask their clients for certificates, and have one for the name `redis.test` alone. */
export interface TlsRedis extends AsyncDisposable {
  readonly certificates: Certificates;
  /** rediss://127.0.0.1:PORT */
  readonly server: string;
  /** rediss+sentinel://127.0.0.1:PORT/NAME, a sentinel with TLS that watches `server` */
  readonly sentinel: string;
  /** The same sentinel at its port without TLS. */
  readonly plainSentinel: string;
  /** rediss+cluster://127.0.0.1:PORT, a Cluster of one node that announces no address */
  readonly cluster: string;
}

/** Whether this machine has what `startTlsRedis` needs. */
export function hasOpenssl(): boolean {
  return spawnSync('openssl', ['version'], { timeout: PROBE_TIMEOUT_MS }).status === 0;
}

/** Starts a server, its sentinel, and a Cluster of one node, all with TLS. */
export function startTlsRedis(): Promise<TlsRedis> {
  // Each has a port with TLS and one without, by which this file commands it; one more is for the bus.
  return onFreePorts(7, async (ports) => {
    await using stack = new AsyncDisposableStack();
    const certificates = stack.use(await makeCertificates(NAME));
    const [server = 0, sentinel = 0, cluster = 0, plain = 0, watching = 0, node = 0, bus = 0] =
      ports;
    const start = (port: number, tlsPort: number, more: readonly string[]) =>
      RedisServer.start({ port, config: [...tlsConfig(tlsPort, certificates), ...more] });
    const data = dataConfig({});
    const sharded = ['cluster-enabled yes', 'tls-cluster yes', `cluster-port ${bus}`];
    const servers: Promise<TestRedis>[] = [
      start(plain, server, data),
      start(node, cluster, [...data, ...sharded]),
    ];
    await allOrNone(servers, stack);
    stack.use(
      await RedisServer.start({
        port: watching,
        sentinel: true,
        config: [
          ...tlsConfig(sentinel, certificates),
          `sentinel monitor ${MASTER} 127.0.0.1 ${server} 1`,
        ],
      }),
    );
    await ask(node, 'CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await eventually('the Cluster serves', async () => {
      const info = String(await ask(node, 'CLUSTER', 'INFO'));
      return info.includes('cluster_state:ok') || undefined;
    });
    return owned(
      {
        certificates,
        server: `rediss://127.0.0.1:${server}`,
        sentinel: `rediss+sentinel://127.0.0.1:${sentinel}/${MASTER}`,
        plainSentinel: `rediss+sentinel://127.0.0.1:${watching}/${MASTER}`,
        cluster: `rediss+cluster://127.0.0.1:${cluster}`,
      },
      stack,
    );
  });
}

function tlsConfig(port: number, { ca, cert, key }: Certificates): string[] {
  return [
    `tls-port ${port}`,
    `tls-ca-cert-file ${ca}`,
    `tls-cert-file ${cert}`,
    `tls-key-file ${key}`,
    'tls-replication yes', // by TLS a sentinel reaches the master, too
  ];
}
