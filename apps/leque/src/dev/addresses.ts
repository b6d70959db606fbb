import type { Server } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';

export interface Addresses {
  /** URL for programs on this machine. */
  readonly base: string;
  /** URLs for other machines, where the server listens on every address. */
  readonly others: readonly string[];
}

interface OriginsConfig {
  readonly HOST?: string;
  readonly OPERATIONS_PORT?: number;
  readonly CORS_ORIGIN?: string;
}

/** The URLs at which a server that listens on HOST, or on loopback without it, is reached. */
export function addressesOf(server: Server, config: { readonly HOST?: string }): Addresses {
  return addressesAt(portOf(server), config);
}

export function addressesAt(port: number, { HOST }: { readonly HOST?: string }): Addresses {
  const url = (host: string) => `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  if (HOST !== undefined && !isEverywhere(HOST)) return { base: url(HOST), others: [] };
  const others = HOST === undefined ? [] : networkAddresses().map(url);
  return { base: url('localhost'), others };
}

/** The page for trying, at `docs`: it connects to the port of `base`, at the same host. */
export function listenPage(docs: string, base: string): string {
  const page = `${docs}/docs/listen`;
  return docs === base ? page : `${page}#port=${new URL(base).port}`;
}

/** Lets the pages at the operators' port use the other one. */
export function withPagesOfOperators<C extends OriginsConfig>(config: C): C & OriginsConfig {
  const { OPERATIONS_PORT: port, CORS_ORIGIN, HOST } = config;
  if (port === undefined) return config;
  const { base, others } = addressesAt(port, config);
  const byNumber = HOST === undefined ? [`http://127.0.0.1:${port}`] : [];
  const given = CORS_ORIGIN ? [CORS_ORIGIN] : [];
  return { ...config, CORS_ORIGIN: [...given, base, ...byNumber, ...others].join(',') };
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
