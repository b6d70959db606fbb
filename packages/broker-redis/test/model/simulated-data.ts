import type { Position } from '@leque/protocol';

/** Names the state of a channel before its first publication, see functions/epochs.lua. */
export type Blank = string;

export interface Entry {
  readonly offset: number;
  readonly number: number;
}

export interface Log {
  epoch: string;
  /** The channel's `Blank` before its first epoch; undefined for a history after a loss. */
  readonly first: Blank | undefined;
  offset: number;
  boot: number;
  former: readonly Position[];
  entries: readonly Entry[];
}

/** The data of a simulated Redis. */
export interface Data {
  readonly logs: Map<string, Log>;
  /** Channels whose meta was evicted, but not their log. */
  readonly leftovers: Set<string>;
  /** The ids in the key of the data set; undefined without that key. */
  ids: readonly string[] | undefined;
}

export function emptyData(): Data {
  return { logs: new Map(), leftovers: new Set(), ids: undefined };
}

export function copy({ logs, leftovers, ids }: Data): Data {
  return {
    logs: new Map([...logs].map(([channel, log]) => [channel, { ...log }])),
    leftovers: new Set(leftovers),
    ids,
  };
}
