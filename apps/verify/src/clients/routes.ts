import type { Random } from '@leque/testkit';
import type { ClientSpec, GroupSpec } from './client-spec.ts';
import { Links } from './link-proxy.ts';

/** How one client gets to a gateway. */
export interface Way {
  /** To try next. */
  readonly nextUrl: () => string;
  /** To be called when a connection has failed or ended. */
  readonly lost: () => void;
}

/** The ways of a group to the gateways; they share one, but for clients that need a sticky one. */
export class Ways {
  readonly links: Links[] = [];
  readonly #spec: GroupSpec;
  readonly #random: Random;
  #shared: Promise<Links> | undefined;

  constructor(spec: GroupSpec, random: Random) {
    this.#spec = spec;
    this.#random = random;
  }

  async to(client: ClientSpec): Promise<Way> {
    const { links: kind, urls } = this.#spec;
    if (client.kind === 'polling') {
      const own = this.#keep(await Links.startSticky(urls, this.#random));
      return { nextUrl: () => own.url, lost: () => own.turn() };
    }
    if (kind === 'direct') return { nextUrl: () => this.#random.pick(urls), lost: () => {} };
    this.#shared ??= Links.start(urls, this.#random).then((links) => this.#keep(links));
    const { url } = await this.#shared;
    return { nextUrl: () => url, lost: () => {} };
  }

  #keep(links: Links): Links {
    this.links.push(links);
    return links;
  }
}
