import type { Server } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

export interface Addresses {
  /** URL for programs on this machine. */
  readonly base: string;
  /** URLs for other machines, where the server listens on every address. */
  readonly others: readonly string[];
}

/** The URLs at which a server that listens on HOST, or on loopback without it, is reached. */
export function addressesOf(server: Server, { HOST }: { readonly HOST?: string }): Addresses {
  const url = (host: string) => `http://${isIPv6(host) ? `[${host}]` : host}:${portOf(server)}`;
  if (HOST !== undefined && !isEverywhere(HOST)) return { base: url(HOST), others: [] };
  const others = HOST === undefined ? [] : networkAddresses().map(url);
  return { base: url('localhost'), others };
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function isEverywhere(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** IPv4 addresses of this machine that others reach. */
function networkAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address);
}
