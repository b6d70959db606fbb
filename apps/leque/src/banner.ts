import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Broker } from '@leque/core';
import type { DevConfig } from './config.ts';
import { makeToken } from './token.ts';

const DEMO = { user: 'demo', projects: 'PROJ-001', scope: 'publish,stats', ttl: '86400' };

export interface Banner {
  readonly config: DevConfig;
  /** On the port that Socket.IO clients know; undefined when that is busy. */
  readonly socketIo: Server | undefined;
  readonly health: ReturnType<Broker['health']>;
}

/** What a newcomer needs: where it is, a token, and two lines to try. */
export async function printBanner(
  main: Server,
  { config, socketIo, health }: Banner,
): Promise<void> {
  const base = baseOf(main, config);
  const ws = base.replace('http', 'ws');
  const token = config.JWT_SECRET && (await makeToken(DEMO, config));
  const lines = [
    '',
    `Leque ${health.ok ? 'is ready' : `waits: ${health.reason}`} (${brokerOf(config)}, AUTH_MODE=${config.AUTH_MODE})`,
    '',
    `  WebSocket   ${ws}/ws/notifications   ${ws}/ws/project/PROJ-001   ${ws}/ws/logs?level=info`,
    `  Socket.IO   ${base}/events${socketIo ? `   ${baseOf(socketIo, config)}/events` : ''}`,
    `  HTTP API    ${base}/docs`,
    '',
    ...(token ? [`A token for user "${DEMO.user}" (a day):`, '', token, ''] : []),
    `Listen, in the console of a browser at ${base}/docs:`,
    '',
    `  new WebSocket('${ws}/ws/notifications').onmessage = (e) => console.log(e.data)`,
    '',
    'Publish, in a shell:',
    '',
    `  curl -X POST ${base}/api/ws/broadcast -H 'Content-Type: application/json' \\`,
    `    -d '{"event_type":"notification","data":{"title":"Hello","message":"It works"},"project_id":"PROJ-001"}'`,
    '',
  ];
  console.log(lines.join('\n'));
  const wanted = config.SOCKETIO_PORT;
  if (wanted !== 0 && wanted !== portOf(main) && socketIo === undefined) {
    console.log(`Port ${wanted} is busy; Socket.IO is at ${base}/events only.\n`);
  }
}

function brokerOf({ REDIS_URL: url }: DevConfig): string {
  return url === undefined ? 'embedded broker' : `Redis at ${new URL(url).host}`;
}

function baseOf(server: Server, { HOST: host = 'localhost' }: DevConfig): string {
  return `http://${host}:${portOf(server)}`;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
