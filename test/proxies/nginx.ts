import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SupervisedProcess } from '@leque/testkit';

const START_TIMEOUT_MS = 10_000;
const PROBE_INTERVAL_MS = 20;

export const hasNginx = spawnSync('nginx', ['-v']).status === 0;

/** One `server` of nginx. */
export interface NginxServer {
  readonly port: number;
  readonly directives: string;
}

/** As in Socket.IO's guide to nginx. Directives of one kind are inherited only where a level has none. */
const UPGRADE = `
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";`;

/** Starts the nginx of this machine, with upgrades passed on, and nothing written outside of a new folder. */
export async function startNginx(servers: readonly NginxServer[]): Promise<AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), 'leque-nginx-'));
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, configuration(folder, servers));
  const nginx = new SupervisedProcess(['nginx', '-e', 'stderr', '-p', folder, '-c', file]);
  const stop = async () => {
    await nginx.stop();
    rmSync(folder, { recursive: true });
  };
  try {
    for (const { port } of servers) await waitFor(port, nginx);
  } catch (error) {
    await stop();
    throw error;
  }
  return { [Symbol.asyncDispose]: stop };
}

function configuration(folder: string, servers: readonly NginxServer[]): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  ${servers.map(serverOf).join('\n  ')}
}
`;
}

function serverOf({ port, directives }: NginxServer): string {
  return `server {
    listen 127.0.0.1:${port};${UPGRADE}
    ${directives}
  }`;
}

/** @throws Error with the output of nginx when it does not listen in time */
async function waitFor(port: number, nginx: SupervisedProcess): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!(await accepts(port))) {
    if (performance.now() > deadline || !nginx.running) throw new Error(nginx.output);
    await delay(PROBE_INTERVAL_MS);
  }
}

function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy());
}
