import { serve } from '../worker/serve.ts';
import { ClientGroup } from './client-group.ts';
import type { GroupSpec } from './client-spec.ts';

let group: ClientGroup | undefined;

function opened(): ClientGroup {
  if (group === undefined) throw new Error('no clients are open');
  return group;
}

/** The commands of a client process. */
const commands = {
  open: async (spec: GroupSpec): Promise<void> => {
    group = await ClientGroup.open(spec);
  },
  status: (_: object) => opened().status(),
  missing: (_: object) => opened().missing(),
  behind: (required: Readonly<Record<string, number>>) => opened().behind(required),
  time: ({ on }: { on: boolean }) => opened().time(on),
  down: ({ forMs }: { forMs: number }) => opened().down(forMs),
  stall: ({ ids, on }: { ids: readonly string[]; on: boolean }) => opened().stall(ids, on),
  leave: ({ ids, forMs }: { ids: readonly string[]; forMs: number }) => opened().leave(ids, forMs),
  results: (_: object) => opened().results(),
  close: (_: object) => opened().close(),
};
export type ClientCommands = typeof commands;

serve(commands);
