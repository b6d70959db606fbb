import { serve } from '../worker/serve.ts';
import { Publisher } from './publisher.ts';
import type { PublisherSpec } from './publisher-spec.ts';

let load: Publisher | undefined;

function prepared(): Publisher {
  if (load === undefined) throw new Error('no load is prepared');
  return load;
}

/** The commands of the publishing process. */
const commands = {
  prepare: (spec: PublisherSpec): void => {
    load = new Publisher(spec);
  },
  publish: ({ count, giveUpAfterMs }: { count: number; giveUpAfterMs: number }) =>
    prepared().publish(count, giveUpAfterMs),
  start: ({ giveUpAfterMs }: { giveUpAfterMs: number }) => prepared().start(giveUpAfterMs),
  stop: (_: object) => prepared().stop(),
  acknowledged: (_: object) => prepared().acknowledged(),
  result: (_: object) => prepared().result(),
};
export type PublisherCommands = typeof commands;

serve(commands);
