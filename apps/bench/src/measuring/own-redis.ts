import { readFileSync } from 'node:fs';
import { RedisProbe } from '@leque/lab';
import { startRedis } from '@leque/testkit';

/** A Redis that is started for one run. */
export interface OwnRedis extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  readonly version: string;
  /** The process of Redis; empty when it runs in a container. */
  readonly pids: readonly number[];
  readonly probe: RedisProbe;
}

export async function startOwnRedis(): Promise<OwnRedis> {
  await using stack = new AsyncDisposableStack();
  const { port, url } = stack.use(await startRedis({ own: true }));
  const probe = stack.use(await RedisProbe.connect(port));
  const pid = Number(await probe.info('process_id'));
  const owner = stack.move();
  return {
    host: '127.0.0.1',
    port,
    url,
    version: await probe.info('redis_version'),
    pids: isRedis(pid) ? [pid] : [],
    probe,
    [Symbol.asyncDispose]: () => owner.disposeAsync(),
  };
}

/** The pid that Redis reports from a container belongs to another process here. */
function isRedis(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('redis-server');
  } catch {
    return false;
  }
}
