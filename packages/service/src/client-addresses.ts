import type { IncomingMessage } from 'node:http';
import proxyAddr from '@fastify/proxy-addr';
import type { ConfigRule } from '@leque/core';
import ipaddr from 'ipaddr.js';
import { type Static, Type } from 'typebox';
import { listOf } from './config.ts';

export const AddressSettings = Type.Object({
  TRUSTED_PROXIES: Type.Optional(
    Type.String({
      description:
        'comma-separated addresses and subnets of the proxies in front of this process, such as ' +
        '`10.0.0.0/8`; also `loopback`, `linklocal`, `uniquelocal`. Only these may say in ' +
        '`X-Forwarded-For` for whom they ask, and in `X-Forwarded-Host` which host was asked',
    }),
  ),
});
type AddressSettings = Static<typeof AddressSettings>;

/** A request, as far as it says where it comes from. */
export type AddressedRequest = Pick<IncomingMessage, 'headers'> & {
  readonly socket: Pick<IncomingMessage['socket'], 'remoteAddress'>;
};

/** Names in one request; a chain of proxies adds one each. */
const MAX_NAMES = 8;

/** Finds out where clients come from, and whom they ask, also behind trusted proxies. */
export class ClientAddresses {
  readonly #trusted: readonly string[];
  readonly #trusts: (address: string, distance: number) => boolean;

  /** @throws TypeError for an entry that is no address and no subnet */
  constructor({ TRUSTED_PROXIES }: AddressSettings) {
    this.#trusted = listOf(TRUSTED_PROXIES);
    this.#trusts = proxyAddr.compile([...this.#trusted]);
  }

  /** The address by which clients are limited: an IPv4 address, or the /64 network of an IPv6 one. */
  of(request: AddressedRequest): string {
    return networkOf(proxyAddr(request as IncomingMessage, this.#trusts));
  }

  /** The `Host` of the request, and what a trusted proxy says in `X-Forwarded-Host`. */
  namesOf(request: AddressedRequest): string[] {
    const { host, 'x-forwarded-host': forwarded } = request.headers;
    const names = host === undefined ? [] : [host];
    if (forwarded === undefined || !this.isProxied(request)) return names;
    return [...names, ...listOf(String(forwarded))].slice(0, MAX_NAMES);
  }

  /** Whether a trusted proxy has sent the request, which can ask another node when it is refused. */
  isProxied({ socket }: AddressedRequest): boolean {
    if (this.#trusted.length === 0) return false; // reading the address makes Node cache it
    return this.#trusts(socket.remoteAddress ?? '', 0);
  }
}

export const addressRule: ConfigRule<AddressSettings> = (config) => {
  try {
    new ClientAddresses(config);
    return [];
  } catch (error) {
    return [`TRUSTED_PROXIES ${error instanceof Error ? error.message : String(error)}`];
  }
};

/** A household or a host has a whole /64 of IPv6, and may change its address within it at will. */
function networkOf(address: string | undefined): string {
  if (address === undefined || !ipaddr.isValid(address)) return 'unknown';
  const parsed = ipaddr.process(address);
  if (!(parsed instanceof ipaddr.IPv6)) return parsed.toString();
  return `${parsed.parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}
