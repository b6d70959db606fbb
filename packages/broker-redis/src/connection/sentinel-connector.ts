import {
  type RedisOptions,
  type SentinelAddress as Sentinel,
  SentinelConnector,
  SentinelIterator,
} from 'ioredis';

/** The sentinel that told of a new master: the others may still name the old one. */
export interface Informed {
  readonly sentinel: Sentinel;
}

/**
 * Asks the sentinel that told of a new master before all others, once for each master: asked again
 * after that, it may be the one that is behind.
 */
export function askFirst(informed: () => Informed | undefined): RedisOptions['Connector'] {
  return class extends SentinelConnector {
    #asked: Informed | undefined;

    constructor(options: unknown) {
      super(options as RedisOptions);
    }

    override connect(...args: Parameters<SentinelConnector['connect']>) {
      const newest = informed();
      if (newest !== undefined && newest !== this.#asked) {
        this.#asked = newest;
        this.sentinelIterator = startingWith(newest.sentinel, this.sentinelIterator);
      }
      return super.connect(...args);
    }
  };
}

function startingWith(first: Sentinel, rest: SentinelIterator): SentinelIterator {
  const sentinels = new SentinelIterator([first]);
  rest.reset(false);
  for (let each = rest.next(); each.value !== undefined; each = rest.next()) {
    sentinels.add(each.value as Sentinel);
  }
  return sentinels;
}
