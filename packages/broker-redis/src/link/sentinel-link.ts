import { type SentinelAddress, sentinelEndpoint } from '../connection/redis-address.ts';
import type { SentinelWatch } from '../connection/sentinel-watch.ts';
import type { LinkDeps } from './redis-link.ts';
import { SingleLink } from './single-link.ts';

/** The server that the sentinels name; another one after a failover. */
export class SentinelLink extends SingleLink {
  readonly #watch: SentinelWatch;

  constructor(address: SentinelAddress, watch: SentinelWatch, deps: LinkDeps) {
    super(
      sentinelEndpoint(address, () => watch.informed),
      deps,
    );
    this.#watch = watch;
    watch.onSwitched(() => this.switchServer());
  }

  override connect(): Promise<void> {
    this.#watch.start();
    return super.connect();
  }

  override receive(): Promise<void> {
    this.#watch.start();
    return super.receive();
  }

  override close(): void {
    this.#watch.close();
    super.close();
  }
}
