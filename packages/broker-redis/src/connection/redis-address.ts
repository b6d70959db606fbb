import type { ConnectionOptions } from 'node:tls';

/** Where a server or a sentinel listens. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** How a client proves who it is, and that it talks to the right server. */
export interface Access {
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Options of TLS; undefined for a connection without it. */
  readonly tls: ConnectionOptions | undefined;
}

/** The parsed REDIS_URL. */
export type RedisAddress = ServerAddress | SentinelAddress | RedisClusterAddress;

export interface ServerAddress extends Access, HostPort {
  readonly kind: 'server';
}

export interface SentinelAddress extends Several {
  readonly kind: 'sentinel';
  /** The name of the master. */
  readonly name: string;
  /** The access to the sentinels; the rest is for the servers that they name. */
  readonly sentinels: SentinelAccess;
}

export interface RedisClusterAddress extends Several {
  readonly kind: 'cluster';
}

interface Several extends Access {
  readonly hosts: readonly HostPort[];
}

export interface SentinelAccess {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Options of TLS; undefined for sentinels without it. */
  readonly tls?: ConnectionOptions | undefined;
}

const SCHEME = /^redis(?<s>s?)(?:\+(?<kind>sentinel|cluster))?:\/\/(?<rest>.*)$/;
/** An @ may stand in the password; a slash and what else ends an authority may not. */
const REST = /^(?:(?<user>[^/?#]*)@)?(?<hosts>[^@/?#]+)(?:\/(?<path>[^?#]*))?(?<options>[?#].*)?$/;
const SENTINEL_PATH = /^(?<name>[\w.-]+)(?:\/(?<db>\d{1,5}))?$/;
const SERVER_PATH = /^(?<db>\d{0,5})$/;
const HOST = /^(?:\[(?<v6>[\da-fA-F:.]+)\]|(?<name>[\w.-]+))(?::(?<port>\d{1,5}))?$/;
const BARE_HOST = /^[\w.-]+(:\d+)?$/;
const DEFAULT_PORTS = { server: 6379, sentinel: 26_379, cluster: 6379 };
const SHAPES = {
  server: 'redis://host:port',
  sentinel: 'redis+sentinel://host:port,…/name',
  cluster: 'redis+cluster://host:port,…',
};

/**
 * Parses one of the forms that REDIS_URL may have.
 * @throws Error whose message is one sentence without the credentials of the URL
 */
export function parseRedisUrl(url: string): RedisAddress {
  const scheme = SCHEME.exec(url)?.groups;
  if (scheme === undefined) throw new Error(explainScheme(url));
  const { s, rest = '' } = scheme;
  const kind = (scheme['kind'] ?? 'server') as RedisAddress['kind'];
  const { user = '', hosts: list = '', path = '', options } = REST.exec(rest)?.groups ?? {};
  const hosts = list.split(',').map((each) => tryParseHost(each, DEFAULT_PORTS[kind]));
  if (!areKnown(hosts)) throw new Error(explainShape(kind));
  if (options !== undefined) {
    throw new Error('REDIS_URL has options after a ? or #, which Leque does not know; remove them');
  }
  const several = { ...parseAccess(user), tls: s === 's' ? {} : undefined, hosts };
  if (kind === 'sentinel') return parseMaster(path, several);
  if (kind === 'server') return parseServer(path, several);
  if (path !== '') throw new Error(explainShape(kind));
  return { kind, ...several };
}

function explainScheme(url: string): string {
  if (BARE_HOST.test(url)) return `REDIS_URL=${url} has no redis:// before it`;
  return (
    'REDIS_URL must begin with redis:// for one server, redis+sentinel:// or redis+cluster://, ' +
    'or with rediss in place of redis for TLS'
  );
}

function explainShape(kind: RedisAddress['kind']): string {
  const encoding = 'special characters in its password must be URL-encoded';
  return `REDIS_URL cannot be read as ${SHAPES[kind]}; ${encoding}`;
}

function areKnown(hosts: readonly (HostPort | undefined)[]): hosts is readonly HostPort[] {
  return hosts.every((each) => each !== undefined);
}

function parseServer(path: string, { hosts, ...access }: Several): ServerAddress {
  const { db } = SERVER_PATH.exec(path)?.groups ?? {};
  const [host, ...others] = hosts;
  if (db === undefined || host === undefined || others.length > 0) {
    throw new Error(explainShape('server'));
  }
  refuseDatabase(db);
  return { kind: 'server', ...access, ...host };
}

function parseMaster(path: string, several: Several): SentinelAddress {
  const { name, db = '' } = SENTINEL_PATH.exec(path)?.groups ?? {};
  if (name === undefined) throw new Error(explainShape('sentinel'));
  refuseDatabase(db);
  return { kind: 'sentinel', name, sentinels: { tls: several.tls }, ...several };
}

/** Messages reach the subscribers of all databases, so a database separates nothing. */
function refuseDatabase(db: string): void {
  if (Number(db) === 0) return;
  throw new Error(
    `REDIS_URL names database ${Number(db)}, but the messages of Redis reach all databases; leave ` +
      'it out, and give each installation on this Redis a REDIS_KEY_PREFIX of its own',
  );
}

function parseAccess(user: string): Omit<Access, 'tls'> {
  const [username = '', ...password] = user.split(':');
  try {
    return {
      username: decodeURIComponent(username) || undefined,
      password: decodeURIComponent(password.join(':')) || undefined,
    };
  } catch {
    throw new Error(
      'REDIS_URL cannot be read: a % in its user or password encodes nothing; write %25 for it',
    );
  }
}

function tryParseHost(text: string, defaultPort: number): HostPort | undefined {
  const { v6, name, port } = HOST.exec(text)?.groups ?? {};
  const host = v6 ?? name;
  const number = port === undefined ? defaultPort : Number(port);
  return host === undefined || number < 1 || number > 65_535 ? undefined : { host, port: number };
}
