/** Where a server or a sentinel listens. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** How a client proves who it is; undefined where the URL does not say. */
export interface Access {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: boolean;
}

/** The parsed REDIS_URL. */
export type RedisAddress =
  | { readonly kind: 'server'; readonly url: string }
  | ({
      readonly kind: 'sentinel';
      readonly name: string;
      readonly db: number;
      /** The access to the sentinels; the rest is for the servers that they name. */
      readonly sentinels: SentinelAccess;
    } & Several)
  | ({ readonly kind: 'cluster' } & Several);

type Several = Access & { readonly hosts: readonly HostPort[] };

export interface SentinelAccess {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

export type SentinelAddress = Extract<RedisAddress, { kind: 'sentinel' }>;
export type RedisClusterAddress = Extract<RedisAddress, { kind: 'cluster' }>;

const SEVERAL =
  /^redis(?<s>s?)\+(?<kind>sentinel|cluster):\/\/(?:(?<user>[^@/]*)@)?(?<hosts>[^@/?#]+)(?:\/(?<path>[^?#]*))?$/;
const SENTINEL_PATH = /^(?<name>[\w.-]+)(?:\/(?<db>\d{1,5}))?$/;
const DEFAULT_PORTS = { sentinel: 26_379, cluster: 6379 };

/** Returns undefined when `url` is none of the forms that REDIS_URL may have. */
export function tryParseRedisUrl(url: string): RedisAddress | undefined {
  if (/^rediss?:/.test(url)) return isServerUrl(url) ? { kind: 'server', url } : undefined;
  const { s, kind, user = '', hosts: list = '', path = '' } = SEVERAL.exec(url)?.groups ?? {};
  if (kind !== 'sentinel' && kind !== 'cluster') return undefined;
  const access = tryParseAccess(user);
  const hosts = list.split(',').map((each) => tryParseHost(each, DEFAULT_PORTS[kind]));
  if (access === undefined || !hosts.every((each) => each !== undefined)) return undefined;
  const several = { ...access, tls: s === 's', hosts };
  if (kind === 'sentinel') return tryParseMaster(path, several);
  return path === '' ? { kind, ...several } : undefined;
}

function isServerUrl(url: string): boolean {
  const parsed = URL.parse(url);
  return Boolean(parsed?.hostname) && /^\/?\d*$/.test(parsed?.pathname ?? '');
}

function tryParseMaster(path: string, several: Several): SentinelAddress | undefined {
  const { name, db = '0' } = SENTINEL_PATH.exec(path)?.groups ?? {};
  return name === undefined
    ? undefined
    : { kind: 'sentinel', name, db: Number(db), sentinels: {}, ...several };
}

function tryParseAccess(user: string): Omit<Access, 'tls'> | undefined {
  const [username = '', ...password] = user.split(':');
  try {
    return {
      username: decodeURIComponent(username) || undefined,
      password: decodeURIComponent(password.join(':')) || undefined,
    };
  } catch {
    return undefined; // a % that encodes nothing
  }
}

function tryParseHost(text: string, defaultPort: number): HostPort | undefined {
  const { v6, name, port } =
    /^(?:\[(?<v6>[\da-fA-F:.]+)\]|(?<name>[\w.-]+))(?::(?<port>\d{1,5}))?$/.exec(text)?.groups ??
    {};
  const host = v6 ?? name;
  const number = port === undefined ? defaultPort : Number(port);
  return host === undefined || number < 1 || number > 65_535 ? undefined : { host, port: number };
}
