import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { RunningServer } from '@leque/core';
import { startRedis } from '@leque/testkit';
import { readClusterConfig, withSecret } from './config.ts';

const PUBLISHER = fileURLToPath(new URL('../../publisher/src/main.ts', import.meta.url));
const GATEWAY = fileURLToPath(new URL('../../gateway/src/main.ts', import.meta.url));
const GATEWAYS = 3;
const HOST = '127.0.0.1';
/** After this long a node that does not end by itself is ended. */
const STOP_DEADLINE_MS = 10_000;

/** A local cluster of real processes on loopback; stopping it leaves nothing behind. */
export async function startCluster(env: NodeJS.ProcessEnv): Promise<RunningServer> {
  const { BASE_PORT: basePort, ...developer } = readClusterConfig(env);
  const redis = await startRedis();
  const settings = Object.entries({ ...developer, HOST, REDIS_URL: redis.url });
  const shared = {
    ...withSecret(env),
    ...Object.fromEntries(settings.map(([name, value]) => [name, String(value)])),
  };
  const start = (name: string, script: string, port: number) =>
    startNode(name, script, { ...shared, NODE_ID: name, PORT: String(port) });
  const nodes = [
    start('publisher', PUBLISHER, basePort),
    ...Array.from({ length: GATEWAYS }, (_, index) =>
      start(`gateway-${index + 1}`, GATEWAY, basePort + index + 1),
    ),
  ];
  printAddresses(redis.url, basePort);
  return {
    // Half a cluster would only puzzle whoever tries it.
    failed: Promise.race(nodes.map((node) => node.ended)),
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
      await redis.stop();
    },
  };
}

function printAddresses(redisUrl: string, basePort: number): void {
  console.log(`Redis       ${redisUrl}`);
  console.log(`Publisher   http://${HOST}:${basePort}/docs`);
  for (let port = basePort + 1; port <= basePort + GATEWAYS; port += 1) {
    console.log(
      `Gateway     ws://${HOST}:${port}/ws/notifications   http://${HOST}:${port}/events`,
    );
  }
}

interface Node {
  /** Rejects when the process has ended, whatever ended it. */
  readonly ended: Promise<never>;
  stop(): Promise<void>;
}

function startNode(name: string, script: string, env: NodeJS.ProcessEnv): Node {
  const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  prefix(child, name);
  const ended = new Promise<never>((_resolve, reject) => {
    child.once('exit', (code, signal) => {
      reject(new Error(`${name} ended: ${signal ?? `exit code ${code}`}`));
    });
  });
  ended.catch(() => {}); // heard by who runs the cluster
  return {
    ended,
    async stop() {
      child.kill('SIGTERM');
      const deadline = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
      await ended.catch(() => {});
      clearTimeout(deadline);
    },
  };
}

function prefix(child: ChildProcess, name: string): void {
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface(stream).on('line', (line) => console.log(`${name.padEnd(10)} | ${line}`));
  }
}
