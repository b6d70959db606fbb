import { createVerifiers } from '@leque/auth-jwt';
import { FakeClock } from '@leque/testkit/fakes';
import { describe, expect, test } from 'vitest';
import {
  bearer,
  notification,
  openPolicy,
  PublisherUnderTest,
  secret,
  strictPolicy,
} from './publisher-under-test.ts';

const key = { 'x-api-key': 'a-key' };
const ID = 'a text of 1 to 256 bytes in UTF-8 without control characters, or a whole number';
const NO_PROJECT = `must be ${ID}; a grant names its projects, so * is none`;
const ask = { user_id: 'alice', projects: ['board:9', 42], ttl: 60 };

interface Entry {
  readonly project_id: string;
  readonly grant: string;
  readonly cursor?: string;
  readonly expires_at: string;
}

describe('[GA1] POST /api/grants', () => {
  test('[GA1.1] answers a grant, a cursor and an end for each project, in their order', async () => {
    await using publisher = new PublisherUnderTest(strictPolicy);
    const before = Date.now();
    const published = await publisher.post(
      '/api/publish',
      { ...notification, project_id: 'board:9' },
      key,
    );
    const { status, json } = await publisher.post('/api/grants', ask, key);
    expect(status).toBe(200);
    const entries: readonly Entry[] = json.grants;
    expect(entries.map(({ project_id }) => project_id)).toEqual(['board:9', '42']);
    expect(entries[0]?.cursor).toBe(published.json.cursor);
    expect(entries[1]?.cursor).toMatch(/\.0$/);
    const { grants } = createVerifiers({ JWT_SECRET: secret });
    for (const { project_id, grant, expires_at } of entries) {
      const verified = await grants.verify(grant);
      const expiresAt = Date.parse(expires_at);
      expect(verified).toMatchObject({ userId: 'alice', projects: [project_id], expiresAt });
      expect(expiresAt).toBeGreaterThan(before + 58_000);
      expect(expiresAt).toBeLessThanOrEqual(Date.now() + 60_000);
    }
  });

  test('[GA1.1] without a ttl the grants are good for ten minutes', async () => {
    await using publisher = new PublisherUnderTest(strictPolicy);
    const { json } = await publisher.post('/api/grants', { user_id: 7, projects: ['P'] }, key);
    const [entry]: readonly Entry[] = json.grants;
    const left = Date.parse(entry?.expires_at ?? '') - Date.now();
    expect(left).toBeGreaterThan(590_000);
    expect(left).toBeLessThanOrEqual(600_000);
  });

  test('[GAP] [GA1.1] a cursor of an empty project resumes with its first event', async () => {
    await using publisher = new PublisherUnderTest(strictPolicy);
    const { json } = await publisher.post('/api/grants', ask, key);
    await publisher.post('/api/publish', { ...notification, project_id: 'board:9' }, key);
    const url = `/api/channels/project:board:9/history?since=${json.grants[0].cursor}`;
    const history = await publisher.get(url, await bearer(['admin']));
    expect(history.json).toMatchObject({ complete: true, more: false });
    expect(history.json.publications).toHaveLength(1);
  });

  test('[GA1] takes an API key or the scope grant, which admin includes', async () => {
    await using publisher = new PublisherUnderTest(strictPolicy);
    const statusFor = async (headers: Record<string, string>) =>
      (await publisher.post('/api/grants', ask, headers)).status;
    expect(await statusFor(key)).toBe(200);
    expect(await statusFor(await bearer(['grant']))).toBe(200);
    expect(await statusFor(await bearer(['admin']))).toBe(200);
    expect(await statusFor(await bearer(['publish:all', 'stats', 'logs'], ['*']))).toBe(403);
    expect(await statusFor(await bearer([], ['board:9']))).toBe(403);
    expect(await statusFor({})).toBe(401);
  });

  test('[GA1] where no token is required, everybody may ask', async () => {
    await using publisher = new PublisherUnderTest(openPolicy);
    expect((await publisher.post('/api/grants', ask)).status).toBe(200);
    // A token that is presented gives only what it says.
    expect((await publisher.post('/api/grants', ask, await bearer([]))).status).toBe(403);
  });

  test('[ISO] the grant that it answers is no token for it', async () => {
    await using publisher = new PublisherUnderTest(openPolicy);
    const { json } = await publisher.post('/api/grants', ask, key);
    const headers = { authorization: `Bearer ${json.grants[0].grant}` };
    const refused = await publisher.post('/api/grants', ask, headers);
    expect([refused.status, refused.json.code]).toEqual([401, 'token_claim_invalid']);
  });

  test.each([
    [{}, 'user_id', 'is required'],
    [{ ...ask, user_id: '*' }, 'user_id', `must be ${ID}`],
    [{ ...ask, user_id: '' }, 'user_id', `must be ${ID}`],
    [{ ...ask, projects: [] }, 'projects', 'must not have fewer than 1 items'],
    [{ ...ask, projects: 'P' }, 'projects', 'must be array'],
    [{ ...ask, projects: ['*'] }, 'projects.0', NO_PROJECT],
    [{ ...ask, projects: ['P', 'a\nb'] }, 'projects.1', NO_PROJECT],
    [{ ...ask, projects: ['42', 'P', 42] }, 'projects.2', 'names 42 a second time'],
    [
      { ...ask, projects: Array.from({ length: 513 }, (_, n) => `P${n}`) },
      'projects',
      'must not have more than 512 items',
    ],
    [{ ...ask, ttl: 0 }, 'ttl', 'must be >= 1'],
    [{ ...ask, ttl: 86_401 }, 'ttl', 'must be <= 86400'],
    [{ ...ask, ttl: 1.5 }, 'ttl', 'must be integer'],
    [{ ...ask, ttl: 'soon' }, 'ttl', 'must be integer'],
    [{ ...ask, project: 'P' }, 'project', 'is not a known field'],
  ])('[GA1.2] refuses %j by its field %s', async (body, field, message) => {
    await using publisher = new PublisherUnderTest(strictPolicy);
    const { status, json } = await publisher.post('/api/grants', body, key);
    expect([status, json.code]).toEqual([400, 'invalid_request']);
    expect(json.errors).toContainEqual({ field, message });
  });

  test('[GA1.3] says which variable is missing where there is no secret to sign with', async () => {
    const keys = { JWKS_URL: 'https://id.test/keys' };
    await using publisher = new PublisherUnderTest(strictPolicy, { keys });
    const { status, json } = await publisher.post('/api/grants', ask, key);
    expect([status, json.code]).toEqual([404, 'not_found']);
    expect(json.detail).toContain('needs GRANT_SECRET, or JWT_SECRET');
  });

  test('[GA1.2] each project counts like an event', async () => {
    const rates = { key: 1, user: 1, address: 1 }; // ten units at once
    const clock = new FakeClock();
    await using publisher = new PublisherUnderTest({ ...strictPolicy, rates }, { clock });
    const projects = Array.from({ length: 8 }, (_, n) => `P${n}`);
    const request = () => publisher.post('/api/grants', { ...ask, projects }, key);
    const first = await request();
    expect([first.status, first.headers['ratelimit']]).toEqual([200, '"key";r=2;t=8']);
    expect((await request()).status).toBe(429);
  });
});

describe('[POS.6] GET /api/channels/{channel}/cursor', () => {
  const cursorOf = (channel: string) => `/api/channels/${channel}/cursor`;

  test('answers where a channel stands, also before its first event', async () => {
    await using publisher = new PublisherUnderTest(strictPolicy);
    const blank = await publisher.get(cursorOf('project:PROJ-001'), key);
    expect(blank.json).toEqual({
      channel: 'project:PROJ-001',
      cursor: expect.stringMatching(/\.0$/),
    });
    const { json } = await publisher.post('/api/publish', notification, key);
    const after = await publisher.get(cursorOf('project:PROJ-001'), key);
    expect(after.json.cursor).toBe(json.cursor);
    const history = await publisher.get(
      '/api/channels/user:never/history',
      await bearer(['admin']),
    );
    expect(history.json.cursor).toMatch(/\.0$/);
  });

  test.each(['logs', 'firehose'])(
    'has no cursor for %s, which keeps no history',
    async (channel) => {
      await using publisher = new PublisherUnderTest(strictPolicy);
      const { status, json } = await publisher.get(cursorOf(channel), key);
      expect([status, json]).toEqual([200, { channel }]);
    },
  );

  test('[ISO] is for those who may publish to the channel, or receive from it', async () => {
    await using publisher = new PublisherUnderTest(strictPolicy);
    const statusFor = async (channel: string, headers: Record<string, string>) =>
      (await publisher.get(cursorOf(channel), headers)).status;
    expect(await statusFor('project:A', {})).toBe(401);
    expect(await statusFor('project:A', key)).toBe(200);
    for (const scopes of [['publish'], []] as const) {
      const alice = await bearer(scopes, ['A']);
      expect(await statusFor('project:A', alice)).toBe(200);
      expect(await statusFor('project:B', alice)).toBe(403);
      expect(await statusFor('user:alice', alice)).toBe(200);
      expect(await statusFor('user:bob', alice)).toBe(403);
      expect(await statusFor('logs', alice)).toBe(403);
    }
    expect(await statusFor('user:bob', await bearer(['publish:all']))).toBe(200);
  });
});
