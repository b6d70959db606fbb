import {
  type RedisOptions,
  type SentinelAddress as Sentinel,
  SentinelConnector,
  SentinelIterator,
} from 'ioredis';

/** A sentinel has announced a new master; the other sentinels may still name the old one. */
export interface FailoverNotice {
  readonly sentinel: Sentinel;
}

/** Where failovers are announced. */
export interface FailoverSource {
  /** The newest notice; undefined before the first failover. */
  readonly notice: FailoverNotice | undefined;
  /** Begins to listen; does nothing when it was started before. */
  start(): void;
}

/**
 * Makes a connector that starts `failovers`, and asks the sentinel of the newest notice before all
 * others. It does so once for each notice: later that sentinel may be the one that is behind.
 */
export function askFirst(failovers: FailoverSource): RedisOptions['Connector'] {
  return class extends SentinelConnector {
    #used: FailoverNotice | undefined;

    constructor(options: unknown) {
      super(options as RedisOptions);
    }

    override connect(...args: Parameters<SentinelConnector['connect']>) {
      failovers.start();
      const { notice } = failovers;
      if (notice !== undefined && notice !== this.#used) {
        this.#used = notice;
        this.sentinelIterator = startingWith(notice.sentinel, this.sentinelIterator);
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
