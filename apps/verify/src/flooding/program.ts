import { constants, setPriority } from 'node:os';
import { serve } from '../worker/serve.ts';
import { FloodConnection, type FloodTarget } from './flood-connection.ts';
import { FloodPolling } from './flood-polling.ts';
import { FLOODS } from './floods.ts';

export interface FloodSpec extends FloodTarget {
  /** The name of the flood. */
  readonly name: string;
  readonly connections: number;
}

// A real flood comes from other machines. At low priority this process takes only idle CPU time, so that
// other clients wait for the gateway, and not for a CPU that is busy with sending.
setPriority(constants.priority.PRIORITY_LOW);

let flooders: (FloodConnection | FloodPolling)[] = [];

/** The commands of the flooding process. */
const commands = {
  start({ name, connections, ...target }: FloodSpec): void {
    const flood = FLOODS.find((each) => each.name === name);
    if (flood === undefined) throw new Error(`unknown flood ${name}`);
    const Flooder = flood.path === undefined ? FloodPolling : FloodConnection;
    flooders = Array.from({ length: connections }, () => new Flooder(target, flood));
  },
  /** @returns the number of connections that were made */
  stop(_: object): number {
    const connects = flooders.reduce((sum, each) => sum + each.connects, 0);
    for (const each of flooders) each.stop();
    flooders = [];
    return connects;
  },
};
export type FloodCommands = typeof commands;

serve(commands);
