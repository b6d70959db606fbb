import type { Server } from 'node:http';
import type { Broker } from '@leque/core';
import { addressesAt, addressesOf, listenPage, portOf } from './addresses.ts';
import type { DevConfig } from './config.ts';
import { examplesOf, printLines, VERSION, webSocketOf } from './lines-to-try.ts';
import { redisHosts } from './printed-redis.ts';

export interface Banner {
  readonly config: DevConfig;
  /** The server on SOCKETIO_PORT; undefined when that port is busy. */
  readonly socketIo: Server | undefined;
  readonly health: ReturnType<Broker['health']>;
}

/** Prints the addresses, a token, and what to try, in at most 80 columns except for the token. */
export async function printBanner(main: Server, banner: Banner): Promise<void> {
  const { config, socketIo, health } = banner;
  const { base, others } = addressesOf(main, config);
  const { OPERATIONS_PORT: operations } = config;
  const docs = operations === undefined ? base : addressesAt(operations, config).base;
  const namespaces = [base, ...(socketIo ? [addressesOf(socketIo, config).base] : [])];
  const [first, ...more] = namespaces.map((url) => `io('${url}/events')`);
  const state = health.ok ? 'is ready' : `waits: ${health.reason}`;
  printLines([
    `Leque ${state} (version ${VERSION}, ${brokerOf(config)}, AUTH_MODE=${config.AUTH_MODE})`,
    '',
    `  Try it      ${listenPage(docs, base)}`,
    `  HTTP API    ${docs}/docs`,
    `  WebSocket   ${webSocketOf(base)}/ws/notifications`,
    `              ${webSocketOf(base)}/ws/project/PROJ-001`,
    `              ${webSocketOf(base)}/ws/logs?level=info`,
    `  Socket.IO   ${first}`,
    ...more.map((line) => `              ${line}`),
    ...others.map((url, index) => `  ${index === 0 ? 'Network ' : '        '}    ${url}`),
    '',
    ...warnings(main, banner, base),
    ...(await examplesOf({ api: base, docs, gateway: base, ...settingsOf(config) })),
    'Ctrl-C stops it. README.md goes on from here.',
    '',
  ]);
}

function settingsOf(config: DevConfig) {
  return { authMode: config.AUTH_MODE, key: config };
}

function warnings(main: Server, { config, socketIo }: Banner, base: string): string[] {
  const { SOCKETIO_PORT: wanted, AUTH_MODE: mode } = config;
  const isMissing = wanted !== 0 && wanted !== portOf(main) && socketIo === undefined;
  const isOpen = mode === 'open' && addressesOf(main, config).others.length > 0;
  return [
    ...(isMissing
      ? [
          `Port ${wanted} is in use by another program, so Socket.IO is at ${base}/events only.`,
          'SOCKETIO_PORT=0 turns the second port off.',
          '',
        ]
      : []),
    ...(isOpen
      ? ['Warning: AUTH_MODE=open lets everybody in this network listen and publish.', '']
      : []),
  ];
}

function brokerOf({ REDIS_URL: url }: DevConfig): string {
  return url === undefined ? 'embedded broker' : `Redis at ${redisHosts(url)}`;
}
