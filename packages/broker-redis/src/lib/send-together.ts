import type { Redis } from 'ioredis';

/** One command, or one call of a function; runs again where it has to go elsewhere. */
export type Command<T> = (redis: Redis) => Promise<T>;

/** What one turn of the event loop asks for goes out in one write: a third more of them. */
export function sendTogether<T>(redis: Redis, command: Command<T>): Promise<T> {
  const { status, stream } = redis;
  if (status === 'ready' && !stream.writableCorked) {
    stream.cork();
    process.nextTick(() => stream.uncork());
  }
  return command(redis);
}

/** Waits for all, whatever becomes of some. @throws the first failure */
export async function allSettled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  });
}

export function* chunksOf<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
