import type { Redis } from 'ioredis';

/** A failure of Redis in words for the operator of this process. */
export interface RedisFailure {
  /** It has one sentence, without a full stop. */
  readonly sentence: string;
  /** Whether waiting cannot help: only a change of the configuration or of the server can. */
  readonly isFinal: boolean;
}

interface Explanation {
  readonly pattern: RegExp;
  readonly isFinal: boolean;
  /** @param server names the server, as "Redis at HOST:PORT" */
  readonly say: (server: string, message: string, usesTls: boolean) => string;
}

const OF_SENTINELS = /^All sentinels are unreachable/;

const NO_RIGHT = /^NOPERM |ACL failure in script|can't run this command or subcommand/;
/** ioredis has no other words for a connection that ends while it is greeting the server. */
const ENDED = /ECONNRESET|^connection closed|^Stream isn't writeable/;
const IF_ASKED =
  '; where it asks clients for a certificate, set REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE';
const IF_PLAIN = '; where it does not use TLS, REDIS_URL must begin with redis, not rediss';
const IF_TLS = '; where it expects TLS, REDIS_URL must begin with rediss://';

/** What the errors of a connection mean; the first that fits counts. */
const OF_CONNECTIONS: readonly Explanation[] = [
  {
    pattern: /WRONGPASS|invalid (username-password pair|password)/,
    isFinal: true,
    say: (server) => `${server} refuses the user or the password in REDIS_URL`,
  },
  {
    pattern: /NOAUTH|Authentication required/,
    isFinal: true,
    say: (server) => `${server} requires a password, and REDIS_URL has none`,
  },
  {
    pattern: /unknown command ['`]?info/i,
    isFinal: true,
    say: (server) => `${server} does not know INFO, which Leque needs`,
  },
  {
    pattern: NO_RIGHT,
    isFinal: true,
    say: (_, message) => lacksRight(message),
  },
  {
    pattern: /DENIED .*protected mode/s,
    isFinal: true,
    say: (server) =>
      `${server} is in protected mode and serves its own machine only; set a password there`,
  },
  {
    pattern: /cluster support disabled/,
    isFinal: true,
    say: (server) => `${server} is no Redis Cluster; REDIS_URL must begin with redis://`,
  },
  {
    pattern: /^(MOVED|CROSSSLOT) /,
    isFinal: true,
    say: (server, message) =>
      `${server} is part of a Redis Cluster, which needs redis+cluster:// in REDIS_URL (${message})`,
  },
  {
    pattern: /ERR_TLS_CERT_ALTNAME_INVALID|does not match certificate/,
    isFinal: true,
    say: (server, message) =>
      `the certificate of ${server} is for another name; set REDIS_TLS_SERVERNAME (${message})`,
  },
  {
    pattern: /CERT_HAS_EXPIRED|certificate has expired/,
    isFinal: true,
    say: (server) => `the certificate of ${server} has expired`,
  },
  {
    pattern: /self.signed certificate|unable to (verify|get).*certificate|CERT_UNTRUSTED/i,
    isFinal: true,
    say: (server, message) =>
      `the certificate of ${server} is not trusted; set REDIS_TLS_CA_FILE (${message})`,
  },
  {
    pattern: /alert (certificate required|unknown ca|bad certificate|handshake failure)/i,
    isFinal: true,
    say: (server) =>
      `${server} does not accept the certificate of this process; set REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE`,
  },
  {
    pattern: /wrong version number|packet length too long|EPROTO/i,
    isFinal: true,
    say: (server) => `${server} does not speak TLS; REDIS_URL must begin with redis, not rediss`,
  },
  {
    pattern: /ENOTFOUND|EAI_AGAIN/,
    isFinal: false,
    say: (server, message) => `the host of ${server} cannot be found (${message})`,
  },
  {
    pattern: /ECONNREFUSED|EHOSTUNREACH|ENETUNREACH/,
    isFinal: false,
    say: (server, message) => `${server} does not answer (${message})`,
  },
  {
    pattern: /ETIMEDOUT/,
    isFinal: false,
    say: (server, message, usesTls) =>
      `${server} does not answer (${message})${usesTls ? IF_PLAIN : ''}`,
  },
  {
    pattern: ENDED,
    isFinal: false,
    say: (server, _, usesTls) => `${server} ends the connection${usesTls ? IF_ASKED : IF_TLS}`,
  },
];

/** Explains an error of the connection; undefined for one without better words than its own. */
export function explainFailure(
  error: Error,
  redis: Pick<Redis, 'options'>,
): RedisFailure | undefined {
  const text = [error.message, (error as NodeJS.ErrnoException).code].join(' ');
  const message = messageOf(error);
  if (OF_SENTINELS.test(text)) return explainSentinels(redis, message);
  const found = OF_CONNECTIONS.find(({ pattern }) => pattern.test(text));
  if (found === undefined) return undefined;
  return {
    sentence: found.say(serverOf(redis), message, redis.options.tls !== undefined),
    isFinal: found.isFinal,
  };
}

/** Whether an error says only that the connection has ended, and not why. */
export function tellsOnlyTheEnd({ message, code }: NodeJS.ErrnoException): boolean {
  return ENDED.test(message) || code === 'ECONNRESET';
}

function explainSentinels(redis: Pick<Redis, 'options'>, message: string): RedisFailure {
  const [, last] = /Last error: (.*)$/.exec(message) ?? [];
  if (/NOAUTH|WRONGPASS|invalid .*password/.test(last ?? '')) {
    const variables = 'REDIS_SENTINEL_USERNAME and REDIS_SENTINEL_PASSWORD';
    return { sentence: `the sentinels refuse the user or password in ${variables}`, isFinal: true };
  }
  const reason = last === undefined ? '' : ` (${last})`;
  const sentence = `no sentinel in REDIS_URL names a master ${redis.options.name}${reason}`;
  return { sentence, isFinal: false };
}

/** Whether Redis refuses because the user lacks a right; a function is refused in other words. */
export function isLackOfRights(message: string): boolean {
  return NO_RIGHT.test(message);
}

/** @param message the reply by which Redis refuses */
export function lacksRight(message: string): string {
  return `the user in REDIS_URL lacks a right; docs/redis.md lists them under "Users" (${message})`;
}

/** How servers answer that have no Functions: old ones, and services that leave them out. */
const NO_FUNCTIONS =
  /^ERR .*(unknown (command|subcommand)|not (available|supported|allowed)|disabled)/i;

/**
 * Explains a refusal of FUNCTION or FCALL.
 * @param server the name and version of the server, where they are known
 */
export function explainFunctions(error: Error, server: string | undefined): RedisFailure {
  const message = messageOf(error);
  const who = server ?? 'this server';
  if (server?.startsWith('Sentinel')) {
    const sentence = 'REDIS_URL leads to a sentinel, which needs redis+sentinel://HOST:PORT/NAME';
    return { sentence, isFinal: true };
  }
  if (isLackOfRights(message)) return { sentence: lacksRight(message), isFinal: true };
  if (/^(MOVED|CROSSSLOT) /.test(message)) {
    const cluster = 'is part of a Redis Cluster, which needs redis+cluster:// in REDIS_URL';
    return { sentence: `${who} ${cluster} (${message})`, isFinal: true };
  }
  if (NO_FUNCTIONS.test(message)) {
    const needed = 'Leque needs Redis 7.0 or newer, or Valkey, with Functions';
    return { sentence: `${needed}, and ${who} has none (${message})`, isFinal: true };
  }
  return { sentence: message, isFinal: false };
}

/** Explains a reply that no repetition of the command changes; undefined for any other reply. */
export function tryExplainRefusal(reply: string): string | undefined {
  const message = messageOf(new Error(reply));
  const isUnknown = /^ERR unknown command .?(fcall|function)/i.test(message);
  if (isUnknown) return explainFunctions(new Error(reply), undefined).sentence;
  if (isLackOfRights(message)) return lacksRight(message);
  return /^(WRONGPASS|NOAUTH) /.test(message)
    ? 'Redis refuses the user or the password in REDIS_URL'
    : undefined;
}

/** Returns, for example, `Valkey 9.1.2`; undefined where the server does not say. */
export function serverVersion(info: string): string | undefined {
  const field = (name: string) => new RegExp(`^${name}:(.+?)\\r?$`, 'm').exec(info)?.[1];
  if (field('redis_mode') === 'sentinel' || field('server_mode') === 'sentinel') return 'Sentinel';
  for (const [name, title] of PRODUCTS) {
    const version = field(`${name}_version`);
    if (version !== undefined) return `${title} ${version}`;
  }
  return undefined;
}

/** Forks give the version of the Redis whose protocol they speak, beside their own. */
const PRODUCTS = [
  ['valkey', 'Valkey'],
  ['dragonfly', 'Dragonfly'],
  ['keydb', 'KeyDB'],
  ['upstash', 'Upstash'],
  ['redis', 'Redis'],
] as const;

/** Redis repeats the arguments of an unknown command, which may hold an event. */
function messageOf({ message }: Error): string {
  return message.replace(/,? with args beginning with.*$/s, '');
}

function serverOf({ options }: Pick<Redis, 'options'>): string {
  if (options.sentinels) return `the master ${options.name} behind Sentinel`;
  const host = options.host?.includes(':') ? `[${options.host}]` : options.host;
  return `Redis at ${host}:${options.port}`;
}
