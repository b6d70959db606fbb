import { freePorts } from '@leque/testkit';
import { PeerProcess } from '../bench/peers/peer-process.ts';
import { fillTemplate, program } from '../bench/peers/tools.ts';
import type { Front } from './scenario.ts';
import type { System } from './system.ts';

const TEMPLATE = new URL('./nginx/nginx.conf', import.meta.url);

/** Why there is none; undefined when there is one. */
export function nginxMissing(): string | undefined {
  return program('nginx') === undefined ? 'nginx is not installed' : undefined;
}

/** An nginx before the gateways, as it is in production. */
export async function startNginx({ gateways }: System): Promise<Front> {
  await using stack = new AsyncDisposableStack();
  const port = await freePorts(1);
  const servers = gateways.map(({ server }) => `server ${new URL(server.url).host} max_fails=0;`);
  const values = { PORT: String(port), SERVERS: servers.join('\n    ') };
  const file = stack.use(await fillTemplate(TEMPLATE, values));
  const nginx = program('nginx') ?? 'nginx';
  const command = [nginx, '-p', file.folder, '-e', 'stderr', '-c', file.path] as const;
  stack.use(await PeerProcess.start(command, { port, settings: {} }));
  const owner = stack.move();
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => owner.disposeAsync(),
  };
}
