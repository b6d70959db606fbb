import { fillTemplate, PeerProcess, program } from '@leque/lab';
import { freePorts } from '@leque/testkit';
import type { LoadBalancer } from './load-balancer.ts';
import type { System } from './system.ts';

const TEMPLATE = new URL('./nginx.conf', import.meta.url);

/** Why nginx cannot be used here; undefined when it can. */
export function nginxMissing(): string | undefined {
  return program('nginx') === undefined ? 'nginx is not installed' : undefined;
}

/** Starts an nginx as the load balancer of the gateways. */
export async function startNginx({ gateways }: System): Promise<LoadBalancer> {
  await using stack = new AsyncDisposableStack();
  const port = await freePorts(1);
  const valuesFor = (urls: readonly string[]) => ({
    PORT: String(port),
    SERVERS: urls.map((url) => `server ${new URL(url).host} max_fails=0;`).join('\n    '),
  });
  const first = valuesFor(gateways.map(({ server }) => server.url));
  const file = stack.use(await fillTemplate(TEMPLATE, first));
  const nginx = program('nginx') ?? 'nginx';
  const command = [nginx, '-p', file.folder, '-e', 'stderr', '-c', file.path] as const;
  const server = stack.use(await PeerProcess.start(command, { port, settings: {} }));
  stack.defer(() => server.stop());
  const owner = stack.move();
  return {
    url: `http://127.0.0.1:${port}`,
    async route(urls) {
      await file.fill(valuesFor(urls));
      process.kill(server.pid, 'SIGHUP');
    },
    [Symbol.asyncDispose]: () => owner.disposeAsync(),
  };
}
