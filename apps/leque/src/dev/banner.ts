import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Broker } from '@leque/core';
import { makeToken, type TokenKey } from '../api/make-token.ts';
import type { DevConfig } from './config.ts';

type AuthMode = DevConfig['AUTH_MODE'];

const DEMO = { user: 'demo', projects: 'PROJ-001', scope: 'publish:all,stats,logs', ttl: '86400' };

export interface Banner {
  readonly config: DevConfig;
  /** The server on SOCKETIO_PORT; undefined when that port is busy. */
  readonly socketIo: Server | undefined;
  readonly health: ReturnType<Broker['health']>;
}

export interface ClusterBanner {
  readonly redisUrl: string;
  /** URL of the publisher. */
  readonly api: string;
  /** URL of the server with `/docs`: the publisher at its operators' port when there is one. */
  readonly docs: string;
  readonly gateways: readonly { readonly url: string; readonly pid: number | undefined }[];
  readonly authMode: AuthMode;
  readonly key: TokenKey;
}

/** Prints the addresses, a token, and two lines to try. */
export async function printBanner(
  main: Server,
  { config, socketIo, health }: Banner,
): Promise<void> {
  const base = baseOf(main, config);
  const ws = webSocketOf(base);
  const examples = {
    api: base,
    docs: base,
    gateway: base,
    authMode: config.AUTH_MODE,
    key: config,
  };
  print([
    `Leque ${health.ok ? 'is ready' : `waits: ${health.reason}`} (${brokerOf(config)}, AUTH_MODE=${config.AUTH_MODE})`,
    '',
    `  WebSocket   ${ws}/ws/notifications`,
    `              ${ws}/ws/project/PROJ-001`,
    `              ${ws}/ws/logs?level=info`,
    `  Socket.IO   ${base}/events`,
    ...(socketIo ? [`              ${baseOf(socketIo, config)}/events`] : []),
    `  HTTP API    ${base}/docs`,
    '',
    ...(await linesToTry(examples)),
  ]);
  const wanted = config.SOCKETIO_PORT;
  if (wanted !== 0 && wanted !== portOf(main) && socketIo === undefined) {
    console.log(`Port ${wanted} is busy; Socket.IO is at ${base}/events only.\n`);
  }
}

/** Prints the banner of a cluster, with the pid of each gateway, so that one can be killed. */
export async function printClusterBanner(banner: ClusterBanner): Promise<void> {
  const { redisUrl, docs, gateways, authMode } = banner;
  const gateway = gateways[0]?.url ?? '';
  print([
    `Leque is ready (${gateways.length} gateways, AUTH_MODE=${authMode})`,
    '',
    ...gateways.map(
      ({ url, pid }, index) =>
        `  Gateway ${index + 1}   ${webSocketOf(url)}/ws/notifications   ${url}/events   pid ${pid}`,
    ),
    `  Publisher   ${docs}/docs`,
    `  Redis       ${redisUrl}`,
    '',
    ...(await linesToTry({ ...banner, gateway })),
    'Or publish straight to Redis, from any client:',
    '',
    `  ${redisCli(redisUrl)} FCALL leque_publish 1 'leque:{project:PROJ-001}' '{"type":"story_deleted","data":{"story_id":"STR-1"}}' my-key`,
    '',
  ]);
}

interface Examples {
  readonly api: string;
  readonly docs: string;
  readonly gateway: string;
  readonly authMode: AuthMode;
  readonly key: TokenKey;
}

async function linesToTry({ api, docs, gateway, authMode, key }: Examples): Promise<string[]> {
  const token = key.JWT_SECRET && (await makeToken(DEMO, key)).token;
  const needed = authMode === 'required' ? token || 'THE_TOKEN' : undefined;
  const query = needed === undefined ? '' : `?token=${needed}`;
  const header = needed === undefined ? '' : ` -H 'Authorization: Bearer ${needed}'`;
  return [
    ...(token ? [`A token for user "${DEMO.user}", valid for a day:`, '', token, ''] : []),
    `Listen in the console of a browser at ${docs}/docs:`,
    '',
    `  new WebSocket('${webSocketOf(gateway)}/ws/notifications${query}').onmessage = (e) => console.log(e.data)`,
    '',
    'Publish in a shell:',
    '',
    `  curl -X POST ${api}/api/publish -H 'Content-Type: application/json'${header} \\`,
    `    -d '{"type":"notification","project_id":"PROJ-001","data":{"title":"Hello","message":"It works"}}'`,
    '',
  ];
}

function print(lines: readonly string[]): void {
  console.log(['', ...lines].join('\n'));
}

function webSocketOf(url: string): string {
  return url.replace('http', 'ws');
}

function brokerOf({ REDIS_URL: url }: DevConfig): string {
  return url === undefined
    ? 'embedded broker'
    : `Redis at ${url.replace(/^.*?:\/\/(?:[^@/]*@)?/, '')}`;
}

/** redis-cli knows no sentinels, and needs only one server of a Redis Cluster. */
function redisCli(url: string): string {
  if (url.includes('+sentinel:')) return 'redis-cli -h THE_MASTER';
  if (!url.includes('+cluster:')) return `redis-cli -u ${url}`;
  return `redis-cli -c -u ${url.replace('+cluster', '').replace(/,.*$/, '')}`;
}

function baseOf(server: Server, { HOST: host = 'localhost' }: DevConfig): string {
  return `http://${host}:${portOf(server)}`;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
