import { ProtocolError } from '@leque/protocol';
import { KeyCounts } from '../lib/key-counts.ts';

/** The part of a request that says where it comes from. */
export interface ConnectingRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** Finds out where clients come from, and whom they ask, also behind proxies. */
export interface AddressBook {
  /** The host names under which the client asks, with their ports. */
  namesOf(request: ConnectingRequest): readonly string[];
  /** The address by which clients are limited. */
  of(request: ConnectingRequest): string;
  /** Whether a trusted proxy has sent the request, which can ask another node when it is refused. */
  isProxied(request: ConnectingRequest): boolean;
}

/** Ends the count of a connection at its address; undefined where addresses are not limited. */
export type LeaveAddress = (() => void) | undefined;

/** Limits the connections of each address. */
export class AddressLimit {
  readonly #counts = new KeyCounts();
  readonly #max: number;

  /** @param max connections of one address; 0 means no limit */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Counts a connection of the address.
   * @param addressOf not called without a limit, because Node caches each address that it returns
   * @returns a function that ends this, which may be called again; undefined without a limit
   * @throws ProtocolError `too_many_connections`
   */
  enter(addressOf: () => string): LeaveAddress {
    if (this.#max === 0) return undefined;
    const address = addressOf();
    if (this.#counts.get(address) >= this.#max) {
      const detail = `your address has ${this.#max} connections to this node already`;
      throw new ProtocolError('too_many_connections', detail);
    }
    this.#counts.add(address, 1);
    let counted = true;
    return () => {
      if (counted) this.#counts.add(address, -1);
      counted = false;
    };
  }
}
