import { serve } from '../worker/serve.ts';
import { Load } from './publisher.ts';
import type { LoadSpec } from './publisher-spec.ts';

let load: Load | undefined;

function prepared(): Load {
  if (load === undefined) throw new Error('no load is prepared');
  return load;
}

/** What the process that publishes can be asked. */
const commands = {
  prepare: (spec: LoadSpec): void => {
    load = new Load(spec);
  },
  publish: ({ count, patienceMs }: { count: number; patienceMs: number }) =>
    prepared().publish(count, patienceMs),
  start: ({ patienceMs }: { patienceMs: number }) => prepared().start(patienceMs),
  stop: (_: object) => prepared().stop(),
  acknowledged: (_: object) => prepared().acknowledged(),
  result: (_: object) => prepared().result(),
};
export type LoadCommands = typeof commands;

serve(commands);
