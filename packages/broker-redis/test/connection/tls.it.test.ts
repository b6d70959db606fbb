import { copyFile, rm, writeFile } from 'node:fs/promises';
import {
  hasOpenssl,
  hasRedisServer,
  startTlsRedis,
  type TlsRedis,
  uniquePrefix,
} from '@leque/testkit';
import { makeEvent } from '@leque/testkit/fakes';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openRedis } from '../../src/open-redis.ts';
import { settingsFor, startNode } from '../support/redis-node.ts';

const P = 'project:P';
const PATIENCE = { timeout: 15_000 };
const KINDS = ['server', 'sentinel', 'plainSentinel', 'cluster'] as const;

describe.skipIf(!hasRedisServer() || !hasOpenssl())('TLS (needs redis-server and openssl)', () => {
  let redis: TlsRedis;
  beforeAll(async () => {
    redis = await startTlsRedis();
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  function variables() {
    const { ca, cert, key, name } = redis.certificates;
    return {
      REDIS_TLS_CA_FILE: ca,
      REDIS_TLS_CERT_FILE: cert,
      REDIS_TLS_KEY_FILE: key,
      REDIS_TLS_SERVERNAME: name,
    };
  }

  test.for(KINDS)('carries publications, requests and calls of the adapter: %s', async (kind) => {
    const ofSentinel = kind === 'plainSentinel' ? { REDIS_SENTINEL_TLS: 'off' as const } : {};
    const settings = { ...variables(), ...ofSentinel };
    const options = { url: redis[kind], prefix: uniquePrefix(), settings };
    await using node = await startNode(options);
    await expect.poll(() => node.broker.health(), PATIENCE).toEqual({ ok: true });
    await node.broker.subscribe(P);
    await node.broker.publish(makeEvent(P, { n: 1 }));
    await expect.poll(() => node.sink.numbers(P), PATIENCE).toEqual([1]);
    const drivers = openRedis(settingsFor(options.url, options.prefix, settings), {
      nodeId: 'other',
      telemetry: { report: () => {} },
    });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => drivers.close());
    expect(await drivers.connection().publish(`${options.prefix}nobody`, '')).toBe(0);
    await drivers.connect();
    const { servers, sentinels } = await drivers.inspect('gateway');
    expect(servers).toMatchObject([{ refused: [], version: expect.stringContaining('Redis ') }]);
    expect(sentinels.map(({ problem }) => problem)).toEqual(
      /sentinel/i.test(kind) ? [undefined] : [],
    );
  });

  test.for([
    ['REDIS_TLS_CA_FILE', /is not trusted; set REDIS_TLS_CA_FILE/],
    ['REDIS_TLS_SERVERNAME', /is for another name; set REDIS_TLS_SERVERNAME/],
    ['REDIS_TLS_CERT_FILE', /does not accept the certificate of this process/],
  ] as const)('[HON] without %s ends the start with one sentence', async ([lacking, sentence]) => {
    const { [lacking]: _, ...rest } = variables();
    const settings =
      lacking === 'REDIS_TLS_CERT_FILE' ? { ...rest, REDIS_TLS_KEY_FILE: undefined } : rest;
    for (const kind of ['server', 'cluster'] as const) {
      const drivers = openRedis(settingsFor(redis[kind], uniquePrefix(), settings as object), {
        nodeId: 'a',
        telemetry: { report: () => {} },
      });
      await drivers.connect();
      // The alert of a server is lost when the end of the connection overtakes it.
      await expect.poll(() => drivers.refusal() ?? kind, PATIENCE).toMatch(sentence);
      await drivers.close();
    }
  });

  test('[HON] is named by a server that ends connections without it', async () => {
    const url = redis.server.replace('rediss:', 'redis:');
    const drivers = openRedis(settingsFor(url, uniquePrefix()), {
      nodeId: 'a',
      telemetry: { report: () => {} },
    });
    void drivers.connect(); // never rejects
    const reason = expect.stringContaining('REDIS_URL must begin with rediss://');
    await expect.poll(() => drivers.broker.health(), PATIENCE).toEqual({ ok: false, reason });
    await drivers.close();
  });

  test('reads renewed files for each new connection, and the last content of a lost file', async () => {
    const { ca, cert, key, name } = redis.certificates;
    const [otherCa, otherCert, otherKey] = [`${ca}.2`, `${cert}.2`, `${key}.2`] as const;
    await Promise.all([writeFile(otherCa, ''), copyFile(cert, otherCert), copyFile(key, otherKey)]);
    const settings = {
      REDIS_TLS_CA_FILE: otherCa,
      REDIS_TLS_CERT_FILE: otherCert,
      REDIS_TLS_KEY_FILE: otherKey,
      REDIS_TLS_SERVERNAME: name,
    };
    const options = { url: redis.server, prefix: uniquePrefix(), settings, receives: false };
    await using node = await startNode(options);
    expect(node.broker.health().ok).toBe(false);
    await copyFile(ca, otherCa);
    await expect.poll(() => node.broker.health(), PATIENCE).toEqual({ ok: true });
    await rm(otherCa);
    await expect(node.broker.publish(makeEvent(P, { n: 1 }))).resolves.toBeDefined();
  });
});
