import type { Random } from '@leque/testkit';
import type { ClientSpec, GroupSpec } from './client-spec.ts';
import { LinkProxy } from './link-proxy.ts';

/** How one client reaches a gateway. */
export interface Route {
  /** The URL for the next connection. */
  readonly nextUrl: () => string;
  /** Must be called when a connection has failed or ended. */
  readonly lost: () => void;
}

/** The routes of a group: one shared proxy, and a sticky proxy for each polling client. */
export class Routes {
  readonly links: LinkProxy[] = [];
  readonly #spec: GroupSpec;
  readonly #random: Random;
  #shared: Promise<LinkProxy> | undefined;

  constructor(spec: GroupSpec, random: Random) {
    this.#spec = spec;
    this.#random = random;
  }

  async to(client: ClientSpec): Promise<Route> {
    const { links: kind, urls } = this.#spec;
    if (client.kind === 'polling') {
      const own = this.#keep(await LinkProxy.startSticky(urls, this.#random));
      return { nextUrl: () => own.url, lost: () => own.turn() };
    }
    if (kind === 'direct') return { nextUrl: () => this.#random.pick(urls), lost: () => {} };
    this.#shared ??= LinkProxy.start(urls, this.#random).then((links) => this.#keep(links));
    const { url } = await this.#shared;
    return { nextUrl: () => url, lost: () => {} };
  }

  #keep(links: LinkProxy): LinkProxy {
    this.links.push(links);
    return links;
  }
}
