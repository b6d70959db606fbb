import { ClientAddresses } from '@leque/service';
import { describe, expect, test } from 'vitest';
import { bearer, notification, PublisherUnderTest, strictPolicy } from './publisher-under-test.ts';

const reads = ['/api/ws/stats', '/api/ws/connections', '/api/ws/project/PROJ-001/subscribers'];
const history = '/api/channels/project:PROJ-001/history';

describe('where tokens are required', () => {
  test.each(['/api/publish', '/api/ws/broadcast'])(
    '%s needs a token or an API key',
    async (url) => {
      await using publisher = new PublisherUnderTest(strictPolicy);
      const { status, headers, json } = await publisher.post(url, notification);
      expect(status).toBe(401);
      expect(headers['www-authenticate']).toBe('Bearer');
      expect(json).toMatchObject({ code: 'token_missing', status: 401 });
      expect(publisher.counters.stored).toBe(0);
    },
  );

  test('the scope publish allows publishing, and the list of projects alone does not', async () => {
    await using publisher = new PublisherUnderTest(strictPolicy);
    const withScope = await bearer(['publish'], ['PROJ-001']);
    expect((await publisher.post('/api/publish', notification, withScope)).status).toBe(200);
    const without = await bearer(['stats'], ['PROJ-001']);
    const refused = await publisher.post('/api/publish', notification, without);
    expect(refused.status).toBe(403);
    expect(refused.headers['www-authenticate']).toMatch('error="insufficient_scope"');
    expect(refused.json).toMatchObject({
      code: 'forbidden',
      detail: 'the scope publish is needed',
    });
  });

  test.each([
    ['X-API-Key', { 'x-api-key': 'a-key' }],
    ['Authorization: Bearer', { authorization: 'Bearer another-key' }],
  ])('an API key in %s may publish and read statistics', async (_, headers) => {
    await using publisher = new PublisherUnderTest(strictPolicy);
    const published = await publisher.post('/api/publish', notification, { ...headers });
    expect(published.status).toBe(200);
    for (const url of reads) expect((await publisher.get(url, { ...headers })).status).toBe(200);
  });

  test('an unknown API key is refused', async () => {
    await using publisher = new PublisherUnderTest(strictPolicy);
    const asHeader = await publisher.post('/api/publish', notification, { 'x-api-key': 'a-ke' });
    expect({ status: asHeader.status, code: asHeader.json.code }).toEqual({
      status: 401,
      code: 'api_key_invalid',
    });
    const asToken = await publisher.post('/api/publish', notification, {
      authorization: 'Bearer a-key-that-nobody-knows',
    });
    expect({ status: asToken.status, ...asToken.json }).toMatchObject({
      status: 401,
      code: 'token_malformed',
      detail: 'neither a known API key nor a JSON Web Token',
    });
  });

  test.each(reads)('%s needs the scope stats', async (url) => {
    await using publisher = new PublisherUnderTest(strictPolicy);
    expect((await publisher.get(url)).status).toBe(401);
    expect((await publisher.get(url, await bearer(['publish']))).status).toBe(403);
    expect((await publisher.get(url, await bearer(['stats']))).status).toBe(200);
    expect((await publisher.get(url, await bearer(['admin']))).status).toBe(200);
  });

  test('[RD1] [RD1.1] [ISO] a history is read with a token that covers the channel, or as admin', async () => {
    await using publisher = new PublisherUnderTest(strictPolicy);
    const status = async (url: string, headers = {}) => (await publisher.get(url, headers)).status;
    const ofUser = (id: string) => `/api/channels/user:${id}/history`;
    const member = await bearer([], ['PROJ-001']);
    expect(await status(history)).toBe(401);
    expect(await status(history, await bearer([], ['PROJ-002']))).toBe(403);
    expect(await status(history, member)).toBe(200);
    expect(await status(ofUser('alice'), member)).toBe(200);
    expect(await status(ofUser('bob'), member)).toBe(403);
    for (const channel of ['user:bob', 'all', 'logs', 'firehose']) {
      const url = `/api/channels/${channel}/history`;
      expect(await status(url, { 'x-api-key': 'a-key' })).toBe(403);
    }
    expect(await status('/api/channels/all/history', member)).toBe(200);
    expect(await status('/api/channels/logs/history', member)).toBe(403);
    expect(await status('/api/channels/logs/history', await bearer(['logs']))).toBe(200);
    expect(await status('/api/channels/project:P/history', { 'x-api-key': 'a-key' })).toBe(403);
    expect(await status(ofUser('bob'), await bearer(['admin']))).toBe(200);
  });

  test('a body is read only after its sender is authorized', async () => {
    await using publisher = new PublisherUnderTest(strictPolicy);
    expect((await publisher.post('/api/publish', '{')).status).toBe(401);
  });
});

describe('in open mode', () => {
  test.each(['all', 'logs', 'project:P', 'user:alice'])(
    '[PU1.1] a caller without a token may publish to %s',
    async (channel) => {
      await using publisher = new PublisherUnderTest();
      const { status } = await publisher.post('/api/publish', { type: 'x', data: {}, channel });
      expect(status).toBe(200);
    },
  );

  test('everything that belongs to no user works without a token', async () => {
    await using publisher = new PublisherUnderTest();
    expect((await publisher.post('/api/publish', notification)).status).toBe(200);
    for (const url of [...reads, history]) expect((await publisher.get(url)).status).toBe(200);
    expect((await publisher.get('/api/channels/user:alice/history')).status).toBe(403);
  });

  test('a token that is presented is verified all the same', async () => {
    await using publisher = new PublisherUnderTest();
    const bad = { authorization: 'Bearer abc' };
    const { status, headers, json } = await publisher.post('/api/publish', notification, bad);
    expect(status).toBe(401);
    expect(json.code).toBe('token_malformed');
    expect(headers['www-authenticate']).toBe(
      'Bearer error="invalid_token", error_description="neither a known API key nor a JSON Web Token"',
    );
    const weak = await bearer([]);
    expect((await publisher.post('/api/publish', notification, weak)).status).toBe(403);
  });
});

describe('pages', () => {
  test.each(['https://evil.test', 'null', 'http://app.test'])(
    'a page of %s cannot publish, not even without reading the answer',
    async (origin) => {
      await using publisher = new PublisherUnderTest();
      const { status, headers, json } = await publisher.post('/api/publish', notification, {
        origin,
      });
      expect(status).toBe(403);
      expect(json.code).toBe('origin_forbidden');
      expect(headers['access-control-allow-origin']).toBeUndefined();
      expect(publisher.counters.stored).toBe(0);
    },
  );

  test.each(['https://app.test', 'http://localhost:5173', 'http://localhost'])(
    'a page of %s can publish',
    async (origin) => {
      await using publisher = new PublisherUnderTest();
      const { status, headers } = await publisher.post('/api/publish', notification, { origin });
      expect(status).toBe(200);
      expect(headers['access-control-allow-origin']).toBe(origin);
      expect(headers['access-control-allow-credentials']).toBe('true');
    },
  );

  test('a refusal names the host of the request, and what a trusted proxy says about it', async () => {
    const asked = { origin: 'http://shop.test:8080', host: 'shop.test' };
    const forwarded = { ...asked, 'x-forwarded-host': 'shop.test:8080' };
    await using publisher = new PublisherUnderTest();
    const refused = await publisher.post('/api/publish', notification, forwarded);
    expect(refused.json.detail).toMatch(
      /8080 is not allowed: CORS_ORIGIN .* this request, shop\.test$/,
    );
    const addresses = new ClientAddresses({ TRUSTED_PROXIES: 'loopback' });
    await using proxied = new PublisherUnderTest(undefined, { addresses });
    expect((await proxied.post('/api/publish', notification, asked)).status).toBe(403);
    expect((await proxied.post('/api/publish', notification, forwarded)).status).toBe(200);
  });

  test('the question before a request is answered for those pages only', async () => {
    await using publisher = new PublisherUnderTest();
    const ask = (origin: string) =>
      publisher.app.inject({
        method: 'OPTIONS',
        url: '/api/publish',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type,idempotency-key',
        },
      });
    const allowed = await ask('https://app.test');
    expect(allowed.statusCode).toBe(204);
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.test',
      'access-control-allow-headers': 'content-type,idempotency-key',
      'access-control-allow-credentials': 'true',
    });
    expect((await ask('https://evil.test')).statusCode).toBe(403);
  });
});
