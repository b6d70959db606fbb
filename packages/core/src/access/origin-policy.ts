import { Type } from 'typebox';
import type { ConfigRule } from '../lib/config-rule.ts';
import { listsOrigin, parseOriginList } from './origin-list.ts';
import { isHostOf, tryParsePageOrigin } from './page-origin.ts';

/** Configuration of each app that accepts requests from web pages. */
export const OriginSettings = Type.Object({
  CORS_ORIGIN: Type.Optional(
    Type.String({
      description:
        'comma-separated origins of other pages that may connect, such as `https://app.example.org`; ' +
        '`https://*.example.org` allows all subdomains, `capacitor://localhost` an app, `null` or ' +
        '`file://` pages opened from a file, and `*` any page. With `AUTH_MODE=open` pages on loopback ' +
        'hosts may always connect',
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

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\]|::1)$/;

/** Whether a host name, without its port, can only mean this machine. */
export function isLoopbackHost(hostname: string): boolean {
  return LOOPBACK_HOST.test(hostname);
}

/** Decides which pages may connect, for every transport and for plain HTTP. */
export interface OriginPolicy {
  /** Origins as browsers send them, such as `https://example.org`, or entries of an `OriginList`. */
  readonly allowed: readonly string[];
  /** Whether pages on loopback hosts may connect from any port, for development. */
  readonly loopback: boolean;
  /** Host names under which clients may ask, beside addresses and local names; `*` allows any. */
  readonly hosts: readonly string[];
}

const IP_ADDRESS = /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/i;

/**
 * Whether clients may ask under all these host names. A page elsewhere may point its own name to a server
 * that asks nobody for a token; the page then counts as of the same origin (DNS rebinding). It cannot
 * do so with an address, nor with a name without a dot, which only local networks resolve.
 * @param names values of the Host header, with a port or without
 */
export function isHostAllowed({ hosts }: OriginPolicy, names: readonly string[]): boolean {
  return hosts.includes('*') || names.every((name) => isNameAllowed(hosts, bareName(name)));
}

function isNameAllowed(hosts: readonly string[], name: string): boolean {
  return IP_ADDRESS.test(name) || /^[a-z0-9_-]+$/.test(name) || hosts.includes(name);
}

/** A host name without its port, in lower case. */
function bareName(host: string): string {
  return host.replace(/:\d+$/, '').replace(/\.$/, '').toLowerCase();
}

/**
 * Whether a page of this origin may connect. Requests without an origin do not come from a page, so they
 * are allowed: their token decides.
 * @param names the host names under which the page asked, with their ports
 */
export function isOriginAllowed(
  { allowed, loopback }: OriginPolicy,
  origin: string | undefined,
  names: readonly string[],
): boolean {
  if (origin === undefined || allowed.includes('*')) return true;
  const page = tryParsePageOrigin(origin);
  if (page === undefined) return false;
  if (listsOrigin(allowed, page) || names.some((name) => isHostOf(page, name))) return true;
  return loopback && isLoopbackPage(page);
}

function isLoopbackPage(page: string): boolean {
  const url = URL.parse(page);
  return url !== null && /^https?:$/.test(url.protocol) && isLoopbackHost(url.hostname);
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
    allowed: parseOriginList(origins).entries,
    loopback: mode === 'open',
    hosts: anyHost ? ['*'] : listOf(hosts).map(bareName),
  };
}

/** Refuses entries that could match no page and no request. */
export const originRule: ConfigRule<Pick<OriginVariables, 'CORS_ORIGIN' | 'ALLOWED_HOSTS'>> = ({
  CORS_ORIGIN: origins,
  ALLOWED_HOSTS: hosts,
}) => [
  ...parseOriginList(origins).problems.map((problem) => `CORS_ORIGIN ${problem}`),
  ...listOf(hosts).flatMap((host) => hostProblem(host) ?? []),
];

const HOST_NAME = /^([\w.-]+|\[[0-9a-f:.]+\])$/i;

function hostProblem(host: string): string | undefined {
  if (host === '*' || HOST_NAME.test(bareName(host))) return undefined;
  const [meant = ''] = /[\w-]+(\.[\w-]+)+/.exec(host) ?? [];
  return `ALLOWED_HOSTS ${host} is not a host name; write ${meant || 'leque.example.org'}`;
}

function listOf(text = ''): string[] {
  const entries = text.split(',').map((entry) => entry.trim());
  return entries.filter((entry) => entry !== '');
}
