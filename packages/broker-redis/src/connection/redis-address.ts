import { Redis, type RedisOptions } from 'ioredis';
import { askFirst, type Informed } from './sentinel-connector.ts';

/** Where one server listens, or a sentinel. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** How whoever connects proves who they are; what the URL does not say is undefined. */
export interface Access {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: boolean;
}

/** What REDIS_URL says. */
export type RedisAddress =
  | { readonly kind: 'server'; readonly url: string }
  | ({
      readonly kind: 'sentinel';
      readonly name: string;
      readonly db: number;
      /** Theirs; the rest is for the servers that they name. */
      readonly sentinels: SentinelAccess;
    } & Several)
  | ({ readonly kind: 'cluster' } & Several);

type Several = Access & { readonly hosts: readonly HostPort[] };

export type SentinelAddress = Extract<RedisAddress, { kind: 'sentinel' }>;
export type RedisClusterAddress = Extract<RedisAddress, { kind: 'cluster' }>;

/** Makes clients of one server, or of whichever server the sentinels name. */
export type Endpoint = (options: RedisOptions) => Redis;

const SEVERAL =
  /^redis(?<s>s?)\+(?<kind>sentinel|cluster):\/\/(?:(?<user>[^@/]*)@)?(?<hosts>[^@/?#]+)(?:\/(?<path>[^?#]*))?$/;
const SENTINEL_PATH = /^(?<name>[\w.-]+)(?:\/(?<db>\d{1,5}))?$/;
const SENTINEL_TIMEOUT_MS = 1000;
const DEFAULT_PORTS = { sentinel: 26_379, cluster: 6379 };

/** Undefined when it cannot be read. */
export function parseRedisUrl(url: string): RedisAddress | undefined {
  if (/^rediss?:/.test(url)) return isServerUrl(url) ? { kind: 'server', url } : undefined;
  const { s, kind, user = '', hosts: list = '', path = '' } = SEVERAL.exec(url)?.groups ?? {};
  if (kind !== 'sentinel' && kind !== 'cluster') return undefined;
  const access = parseAccess(user);
  const hosts = list.split(',').map((each) => parseHost(each, DEFAULT_PORTS[kind]));
  if (access === undefined || !hosts.every((each) => each !== undefined)) return undefined;
  const several = { ...access, tls: s === 's', hosts };
  if (kind === 'sentinel') return parseMaster(path, several);
  return path === '' ? { kind, ...several } : undefined;
}

export function serverEndpoint(url: string): Endpoint {
  return (options) => new Redis(url, options);
}

export function sentinelEndpoint(
  address: SentinelAddress,
  informed: () => Informed | undefined,
): Endpoint {
  return (options) =>
    new Redis({
      ...options,
      ...sentinelOptions(address),
      Connector: askFirst(informed),
      // It was the master until now; the sentinels know the new one.
      reconnectOnError: (error) => error.message.startsWith('READONLY'),
    });
}

/** One server of a Cluster, with the access of all. */
export function endpointOf({ host, port }: HostPort, access: Access): Endpoint {
  return (options) => new Redis({ ...options, ...accessOptions(access), host, port });
}

export interface SentinelAccess {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** Whichever server the sentinels name as the master, with the access of REDIS_URL. */
export function sentinelOptions(address: SentinelAddress): RedisOptions {
  const { hosts, name, db, tls } = address;
  const { username, password } = address.sentinels;
  return {
    ...accessOptions(address),
    sentinels: [...hosts],
    name,
    db,
    ...(username !== undefined && { sentinelUsername: username }),
    ...(password !== undefined && { sentinelPassword: password }),
    ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: {} }),
    sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
  };
}

/** Of a client of one sentinel itself. */
export function sentinelClientOptions(host: HostPort, address: SentinelAddress): RedisOptions {
  const { username, password } = address.sentinels;
  return {
    ...host,
    ...accessOptions({ username, password, tls: address.tls }),
    lazyConnect: true,
    enableReadyCheck: false, // there is nothing to load
    disableClientInfo: true,
  };
}

export function accessOptions({ username, password, tls }: Access): RedisOptions {
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
  };
}

function isServerUrl(url: string): boolean {
  const parsed = URL.parse(url);
  return Boolean(parsed?.hostname) && /^\/?\d*$/.test(parsed?.pathname ?? '');
}

function parseMaster(path: string, several: Several): SentinelAddress | undefined {
  const { name, db = '0' } = SENTINEL_PATH.exec(path)?.groups ?? {};
  return name === undefined
    ? undefined
    : { kind: 'sentinel', name, db: Number(db), sentinels: {}, ...several };
}

function parseAccess(user: string): Omit<Access, 'tls'> | undefined {
  const [username = '', ...password] = user.split(':');
  try {
    return {
      username: decodeURIComponent(username) || undefined,
      password: decodeURIComponent(password.join(':')) || undefined,
    };
  } catch {
    return undefined; // a bare % in it
  }
}

function parseHost(text: string, defaultPort: number): HostPort | undefined {
  const { v6, name, port } =
    /^(?:\[(?<v6>[\da-fA-F:.]+)\]|(?<name>[\w.-]+))(?::(?<port>\d{1,5}))?$/.exec(text)?.groups ??
    {};
  const host = v6 ?? name;
  const number = port === undefined ? defaultPort : Number(port);
  return host === undefined || number < 1 || number > 65_535 ? undefined : { host, port: number };
}
