import { expect, test } from 'vitest';
import {
  explainFailure,
  explainFunctions,
  serverVersion,
  tryExplainRefusal,
} from './redis-failures.ts';

const SERVER = { options: { host: 'redis.test', port: 6380 } };
const MASTER = { options: { sentinels: [{ host: 'a' }], name: 'main' } };

test.for([
  [
    'getaddrinfo ENOTFOUND redis.test',
    false,
    'the host of Redis at redis.test:6380 cannot be found',
  ],
  [
    'getaddrinfo EAI_AGAIN redis.test',
    false,
    'the host of Redis at redis.test:6380 cannot be found',
  ],
  ['Ready check failed: NOAUTH Authentication required.', true, 'requires a password'],
  ['WRONGPASS invalid username-password pair or user is disabled.', true, 'refuses the user'],
  ['ERR invalid password', true, 'refuses the user or the password'],
  ['self-signed certificate in certificate chain', true, 'set REDIS_TLS_CA_FILE'],
  ['unable to verify the first certificate', true, 'set REDIS_TLS_CA_FILE'],
  ['certificate has expired', true, 'the certificate of Redis at redis.test:6380 has expired'],
  [
    "Hostname/IP does not match certificate's altnames: IP: 10.0.0.1 is not in the cert's list",
    true,
    'set REDIS_TLS_SERVERNAME',
  ],
  [
    'A0:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required',
    true,
    'REDIS_TLS_CERT_FILE',
  ],
] as const)('the failure "%s" is explained', ([message, isFinal, words]) => {
  const failure = explainFailure(new Error(message), SERVER);
  expect(failure).toEqual({ isFinal, sentence: expect.stringContaining(words) });
});

test.for([
  [
    { tls: {} },
    'connect ETIMEDOUT',
    'does not answer (connect ETIMEDOUT); where it does not use TLS,',
  ],
  [{}, 'connect ETIMEDOUT', 'does not answer (connect ETIMEDOUT)'],
  [{ tls: {} }, 'read ECONNRESET', 'ends the connection; where it asks clients for a certificate,'],
  [{}, 'read ECONNRESET', 'ends the connection; where it expects TLS,'],
] as const)('with the options %j the failure "%s" is explained', ([options, message, words]) => {
  const server = { options: { ...SERVER.options, ...options } };
  const failure = explainFailure(new Error(message), server);
  expect(failure).toEqual({ isFinal: false, sentence: expect.stringContaining(words) });
});

test.for([
  ['NOAUTH Authentication required.', true, 'REDIS_SENTINEL_PASSWORD'],
  ['connect ECONNREFUSED 127.0.0.1:1', false, 'no sentinel in REDIS_URL names a master main (conn'],
] as const)(
  'sentinels that fail with "%s" are not taken for the server',
  ([last, isFinal, words]) => {
    const message = `All sentinels are unreachable. Retrying from scratch after 10ms. Last error: ${last}`;
    const failure = explainFailure(new Error(message), MASTER);
    expect(failure).toEqual({ isFinal, sentence: expect.stringContaining(words) });
  },
);

test('a failure without better words has its own', () => {
  expect(explainFailure(new Error('LOADING Redis is loading the dataset'), SERVER)).toBeUndefined();
});

test.for([
  ['redis_version:6.2.14', 'Redis 6.2.14'],
  ['redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:9.1.2', 'Valkey 9.1.2'],
  ['redis_version:7.2.0\r\ndragonfly_version:df-v1.30.0', 'Dragonfly df-v1.30.0'],
  ['redis_version:7.0.0\r\nredis_mode:sentinel', 'Sentinel'],
  ['# Server', undefined],
])('%j is %s', ([info, version]) => {
  expect(serverVersion(`${info}\r\n`)).toBe(version);
});

test.for([
  "OOM command not allowed when used memory > 'maxmemory'.",
  "READONLY You can't write against a read only replica.",
  'MISCONF Redis is configured to save RDB snapshots. Commands that may modify it are disabled',
  'NOREPLICAS Not enough good replicas to write.',
  'LOADING Redis is loading the dataset in memory',
  'MASTERDOWN Link with MASTER is down',
  'CLUSTERDOWN The cluster is down',
  'BUSY Redis is busy running a script.',
  'ERR max number of clients reached',
])('[HON] "%s" is a state that passes, and ends no start', (message) => {
  expect(explainFunctions(new Error(message), 'Redis 7.0.15').isFinal).toBe(false);
  expect(explainFailure(new Error(message), SERVER)?.isFinal ?? false).toBe(false);
  expect(tryExplainRefusal(message)).toBeUndefined();
});
