import { readFileSync } from 'node:fs';
import { type ConnectionOptions, createSecureContext } from 'node:tls';

/** The variables that say how Redis is trusted, and how this process proves itself to Redis. */
export interface TlsVariables {
  readonly REDIS_TLS_CA_FILE?: string;
  readonly REDIS_TLS_CERT_FILE?: string;
  readonly REDIS_TLS_KEY_FILE?: string;
  readonly REDIS_TLS_SERVERNAME?: string;
}

/**
 * Makes the options of TLS. Each connection reads the files anew, so that renewed certificates count
 * without a restart; a file that cannot be read then counts with its last content.
 */
export function tlsOptions(variables: TlsVariables): ConnectionOptions {
  const ca = rereading(variables.REDIS_TLS_CA_FILE);
  const cert = rereading(variables.REDIS_TLS_CERT_FILE);
  const key = rereading(variables.REDIS_TLS_KEY_FILE);
  const { REDIS_TLS_SERVERNAME: servername } = variables;
  return {
    ...(servername !== undefined && { servername }),
    // ioredis copies these options for each connection, and reads the getters then.
    get ca() {
      return ca();
    },
    get cert() {
      return cert();
    },
    get key() {
      return key();
    },
  };
}

/** Lists what is wrong with the files: one that cannot be read, or a key that does not fit. */
export function problemsOfTls(variables: TlsVariables): string[] {
  const { REDIS_TLS_CERT_FILE: cert, REDIS_TLS_KEY_FILE: key } = variables;
  if ((cert === undefined) !== (key === undefined)) {
    return ['REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE need each other'];
  }
  const unreadable = FILES.flatMap((name) => problemOfFile(name, variables[name]));
  return unreadable.length > 0 ? unreadable : problemOfKey(variables);
}

const FILES = ['REDIS_TLS_CA_FILE', 'REDIS_TLS_CERT_FILE', 'REDIS_TLS_KEY_FILE'] as const;

function problemOfFile(name: string, path: string | undefined): string[] {
  if (path === undefined) return [];
  try {
    readFileSync(path);
    return [];
  } catch (error) {
    return [`${name} cannot be read: ${(error as Error).message}`];
  }
}

function problemOfKey(variables: TlsVariables): string[] {
  try {
    const { ca, cert, key } = tlsOptions(variables);
    createSecureContext({ ca, cert, key });
    return [];
  } catch (error) {
    return [
      `the files of REDIS_TLS_* cannot be used as PEM, or do not fit each other: ${(error as Error).message}`,
    ];
  }
}

function rereading(path: string | undefined): () => string | undefined {
  let last: string | undefined;
  return () => {
    if (path === undefined) return undefined;
    try {
      last = readFileSync(path, 'utf8');
    } catch (error) {
      if (last === undefined) throw error;
    }
    return last;
  };
}
