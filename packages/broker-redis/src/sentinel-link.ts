import { type SentinelAddress, sentinelEndpoint } from './redis-address.ts';
import type { LinkParts } from './redis-link.ts';
import { SentinelWatch } from './sentinel-watch.ts';
import { SingleLink } from './single-link.ts';

/** The server that the sentinels name; another one after a failover. */
export class SentinelLink extends SingleLink {
  readonly #watch: SentinelWatch;

  constructor(address: SentinelAddress, parts: LinkParts) {
    const watch = new SentinelWatch(address);
    super(
      sentinelEndpoint(address, () => watch.informed),
      parts,
    );
    this.#watch = watch;
  }

  override connect(): Promise<void> {
    this.#watch.start(() => this.switchServer());
    return super.connect();
  }

  override receive(): Promise<void> {
    this.#watch.start(() => this.switchServer());
    return super.receive();
  }

  override close(): void {
    this.#watch.close();
    super.close();
  }
}
