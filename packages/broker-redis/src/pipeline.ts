import type { ChainableCommander, Redis } from 'ioredis';
import { COMMAND_DEADLINE_MS, withDeadline } from './deadline.ts';

/** Runs several commands in one round trip. @throws the first error, after all have run */
export async function runPipeline(
  redis: Redis,
  fill: (pipeline: ChainableCommander) => void,
): Promise<unknown[]> {
  const pipeline = redis.pipeline();
  fill(pipeline);
  const results = (await withDeadline(pipeline.exec(), COMMAND_DEADLINE_MS, 'a pipeline')) ?? [];
  return results.map(([error, result]) => {
    if (error) throw error;
    return result;
  });
}

export function* chunksOf<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
