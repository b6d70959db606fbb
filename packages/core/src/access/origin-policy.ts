import { Type } from 'typebox';

/** Configuration of each app that accepts requests from web pages. */
export const OriginSettings = Type.Object({
  CORS_ORIGIN: Type.Optional(
    Type.String({
      description:
        'comma-separated origins of other pages that may connect; `*` allows any, also pages ' +
        'opened from a file. With `AUTH_MODE=open` pages on loopback hosts may always connect',
    }),
  ),
  ALLOWED_HOSTS: Type.Optional(
    Type.String({
      description:
        'comma-separated host names under which every path is served, probes and `/metrics` ' +
        'included, or `*` for any name. IP addresses and names without a dot are always allowed. ' +
        'Without it, any name is allowed with `AUTH_MODE=required`, and no further name with ' +
        '`AUTH_MODE=open`, because a foreign page may point its own name to this server (DNS rebinding)',
    }),
  ),
});

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Whether a host name, without its port, can only mean this machine. */
export function isLoopbackHost(hostname: string): boolean {
  return LOOPBACK_HOST.test(hostname);
}

/** Decides which pages may connect, for every transport and for plain HTTP. */
export interface OriginPolicy {
  /** Origins as browsers send them, such as `https://example.org`; `*` allows any. */
  readonly allowed: readonly string[];
  /** Whether pages on loopback hosts may connect from any port, for development. */
  readonly loopback: boolean;
  /** Host names under which clients may ask, beside addresses and local names; `*` allows any. */
  readonly hosts: readonly string[];
}

const IP_ADDRESS = /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/i;

/**
 * Whether clients may ask under this host name. A page elsewhere may point its own name to a server
 * that asks nobody for a token; the page then counts as of the same origin (DNS rebinding). It cannot
 * do so with an address, nor with a name without a dot, which only local networks resolve.
 * @param host value of the Host header, with a port or without
 */
export function isHostAllowed({ hosts }: OriginPolicy, host: string | undefined): boolean {
  if (host === undefined || hosts.includes('*')) return true;
  const name = host.replace(/:\d+$/, '').replace(/\.$/, '').toLowerCase();
  return IP_ADDRESS.test(name) || /^[a-z0-9_-]+$/.test(name) || hosts.includes(name);
}

/** Requests without an origin do not come from a page, so they are allowed: their token decides. */
export function isOriginAllowed(
  policy: OriginPolicy,
  origin: string | undefined,
  host: string | undefined,
): boolean {
  if (origin === undefined) return true;
  if (policy.allowed.includes('*') || policy.allowed.includes(origin)) return true;
  const url = URL.parse(origin);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return url.host === host || (policy.loopback && isLoopbackHost(url.hostname));
}

/** The variables that decide which pages and host names are served. */
export interface OriginVariables {
  readonly CORS_ORIGIN?: string;
  readonly ALLOWED_HOSTS?: string;
  readonly AUTH_MODE: 'open' | 'required';
}

/** The policy of an app. Where tokens are required, a page under any name needs one. */
export function originPolicyOf(variables: OriginVariables): OriginPolicy {
  const { CORS_ORIGIN: origins, ALLOWED_HOSTS: hosts, AUTH_MODE: mode } = variables;
  const anyHost = hosts === undefined && mode === 'required';
  return {
    allowed: listOf(origins),
    loopback: mode === 'open',
    hosts: anyHost ? ['*'] : listOf(hosts).map((name) => name.toLowerCase()),
  };
}

function listOf(text = ''): string[] {
  const entries = text.split(',').map((entry) => entry.trim());
  return entries.filter((entry) => entry !== '');
}
