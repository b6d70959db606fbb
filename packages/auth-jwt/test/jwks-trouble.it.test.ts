import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, type Fact, systemClock } from '@leque/core';
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { createJwtVerifier } from '../src/index.ts';

type Answer = RequestListener;
const pair = generateKeyPairSync('ed25519');
const good = { ...pair.publicKey.export({ format: 'jwk' }), kid: 'good' };
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
const weakKey = { ...weak.publicKey.export({ format: 'jwk' }), kid: 'weak' };

const json = (body: unknown): Answer => {
  return (_, response) => response.end(typeof body === 'string' ? body : JSON.stringify(body));
};
const status =
  (code: number): Answer =>
  (_, response) =>
    response.writeHead(code, { location: '/elsewhere' }).end(JSON.stringify({ keys: [good] }));

/** A server of keys whose answer can be changed, and a verifier that uses it. */
async function startKeys(answer: Answer) {
  const state = { answer, requests: 0, sentBytes: 0 };
  const server = createServer((request, response) => {
    state.requests += 1;
    state.answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const time = { elapsedMs: 0 };
  const clock: Clock = {
    ...systemClock,
    now: () => Date.now() + time.elapsedMs,
    monotonic: () => performance.now() + time.elapsedMs,
  };
  const facts: Fact[] = [];
  const telemetry = { report: (fact: Fact) => void facts.push(fact) };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  const verifier = createJwtVerifier({ JWKS_URL: url }, clock, telemetry);
  return {
    state,
    facts,
    url,
    later: (ms: number) => {
      time.elapsedMs += ms;
    },
    /** The user of a token, or the code of its refusal. */
    outcome: async (token: string) =>
      await verifier.verify(token).then(
        ({ userId }) => userId,
        ({ code }) => code,
      ),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

let tokens = 0;

async function sign(kid: string, key = pair.privateKey, alg = 'EdDSA'): Promise<string> {
  tokens += 1; // each token is another one, so that none is known from before
  return await new SignJWT({ sub: 'alice', jti: String(tokens), exp: 4_000_000_000 })
    .setProtectedHeader({ alg, kid })
    .sign(key);
}

/** A token as anybody can make it, signed with nothing. */
async function garbage(kid: string): Promise<string> {
  const token = await sign(kid);
  return `${token.slice(0, token.lastIndexOf('.'))}.AAAA`;
}

const endless: Answer = (_, response) => {
  const filler = Buffer.alloc(65_536, ' ');
  const fill = () => {
    while (response.write(filler));
  };
  response.on('drain', fill);
  fill();
};
const dripping: Answer = (_, response) => {
  response.write('{"keys":');
  const drip = setInterval(() => response.write(' '), 100);
  response.on('close', () => clearInterval(drip));
};

const html: Answer = (_, response) =>
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<html>');
const noUsable = 'answered with a set that has no usable key';

/** Answers, with the words that follow the URL in the log. */
const noSet: [string, Answer, string][] = [
  ['503', status(503), 'answered 503'],
  ['404', status(404), 'answered 404'],
  ['204', (_, response) => response.writeHead(204).end(), 'answered 204'],
  ['a redirect', status(302), 'answered 302 with a redirect to http://127.0.0.1:PORT/elsewhere'],
  ['a page', html, 'answered with text that is not JSON (text/html)'],
  ['no JSON', json('<html>'), 'answered with text that is not JSON (no content type)'],
  ['no set', json({ key: [good] }), 'answered with JSON that is no key set'],
  ['a list', json([good]), 'answered with JSON that is no key set'],
  ['null', json('null'), 'answered with JSON that is no key set'],
  ['an empty set', json({ keys: [] }), noUsable],
  [
    'only a weak key',
    json({ keys: [weakKey] }),
    `${noUsable}: key "weak" has fewer than 2048 bits`,
  ],
  [
    'only a broken key',
    json({ keys: [{ kty: 'RSA', kid: 'good', n: '!', e: 'AQAB' }] }),
    `${noUsable}: key "good" `,
  ],
  [
    'only a symmetric key',
    json({ keys: [{ kty: 'oct', kid: 'good', k: 'AAAA' }] }),
    `${noUsable}: key "good" is symmetric`,
  ],
  [
    'only a key of an unknown type',
    json({ keys: [{ kty: 'AKP', kid: 'good', pub: 'AAAA' }] }),
    `${noUsable}: key "good" has the type "AKP", which is not supported`,
  ],
  ['only a key for encryption', json({ keys: [{ ...good, use: 'enc' }] }), noUsable],
  ['entries that are no keys', json({ keys: [null, 7, 'x', [], {}] }), noUsable],
  ['too many keys', json({ keys: Array(101).fill(good) }), 'answered with more than 100 keys'],
  [
    'a set that is too large',
    json({ keys: [good], filler: ' '.repeat(262_144) }),
    'answered with more than 262144 bytes',
  ],
  ['without end', endless, 'answered with more than 262144 bytes'],
  ['a drop now and then', dripping, 'did not answer within 2500 ms'],
  ['nothing', () => {}, 'did not answer within 2500 ms'],
  ['a cut', (request) => request.socket.destroy(), 'does not answer: UND_ERR_SOCKET'],
];

test.each(noSet)('[LIVE] a key server that answers %s has no keys', async (_, answer, words) => {
  await using keys = await startKeys(answer);
  expect(await keys.outcome(await sign('good'))).toBe('unavailable');
  const sentence = `the keys of JWKS_URL cannot be fetched: ${keys.url} ${words}`;
  const detail = expect.stringContaining(sentence.replace('PORT', new URL(keys.url).port));
  expect(keys.facts).toEqual([{ type: 'degraded', part: 'token_keys', detail }]);
});

test('[ISO] a key for encryption beside the others is not reported, and verifies nothing', async () => {
  const encryption = generateKeyPairSync('ed25519');
  const key = { ...encryption.publicKey.export({ format: 'jwk' }), kid: 'enc', use: 'enc' };
  await using keys = await startKeys(json({ keys: [key, good] }));
  expect(await keys.outcome(await sign('good'))).toBe('alice');
  expect(await keys.outcome(await sign('enc', encryption.privateKey))).toBe(
    'token_signature_invalid',
  );
  expect(keys.facts).toEqual([]);
});

test.each(noSet)('known keys are kept while the key server answers %s', async (_, answer) => {
  await using keys = await startKeys(json({ keys: [good] }));
  expect(await keys.outcome(await sign('good'))).toBe('alice');
  keys.state.answer = answer;
  for (let hour = 0; hour < 3; hour += 1) {
    keys.later(3_600_000);
    expect(await keys.outcome(await sign('good'))).toBe('alice');
  }
  await expect.poll(() => keys.state.requests).toBeGreaterThan(1);
});

test.each([
  ['healthy', json({ keys: [good] }), 'token_signature_invalid'],
  ['failing', status(503), 'unavailable'],
] as const)(
  '[LIVE] 300 tokens with unknown keys cause three fetches at most when the server is %s',
  async (_, answer, code) => {
    await using keys = await startKeys(json({ keys: [good] }));
    expect(await keys.outcome(await sign('good'))).toBe('alice');
    keys.later(60_000);
    keys.state.answer = answer;
    keys.state.requests = 0;
    const outcomes = new Set<string>();
    for (let n = 0; n < 300; n += 1) outcomes.add(await keys.outcome(await garbage(`kid-${n}`)));
    expect(outcomes).toEqual(new Set([code]));
    expect(keys.state.requests).toBeLessThanOrEqual(3);
    expect(await keys.outcome(await sign('good'))).toBe('alice');
  },
);

test('[LIVE] without any keys a failing server is asked three times at most', async () => {
  await using keys = await startKeys(status(503));
  for (let n = 0; n < 50; n += 1)
    expect(await keys.outcome(await sign('good'))).toBe('unavailable');
  expect(keys.state.requests).toBe(3);
  keys.state.answer = json({ keys: [good] });
  keys.later(5_000);
  expect(await keys.outcome(await sign('good'))).toBe('alice');
});

test('a key that rotates right after a fetch is found at once', async () => {
  const fresh = generateKeyPairSync('ed25519');
  await using keys = await startKeys(json({ keys: [good] }));
  expect(await keys.outcome(await sign('good'))).toBe('alice');
  const rotated = { ...fresh.publicKey.export({ format: 'jwk' }), kid: 'fresh' };
  keys.state.answer = json({ keys: [rotated] });
  expect(await keys.outcome(await sign('fresh', fresh.privateKey))).toBe('alice');
  expect(await keys.outcome(await sign('good'))).toBe('token_signature_invalid');
});

test('a key that appears after it was missed is found half a minute later', async () => {
  const late = generateKeyPairSync('ed25519');
  await using keys = await startKeys(json({ keys: [good] }));
  const token = () => sign('late', late.privateKey);
  expect(await keys.outcome(await token())).toBe('token_signature_invalid');
  const published = { ...late.publicKey.export({ format: 'jwk' }), kid: 'late' };
  keys.state.answer = json({ keys: [good, published] });
  expect(await keys.outcome(await token())).toBe('token_signature_invalid');
  keys.later(31_000);
  expect(await keys.outcome(await token())).toBe('alice');
  expect(keys.state.requests).toBe(2);
});

const { d: _private, ...publicEd } = pair.privateKey.export({ format: 'jwk' });
const unusable: [string, object, string][] = [
  ['a weak RSA key', weakKey, 'RS256'],
  ['a broken RSA key', { kty: 'RSA', n: 'AQAB', e: 'AQAB' }, 'RS256'],
  ['an RSA key without modulus', { kty: 'RSA', e: 'AQAB' }, 'RS256'],
  ['a point off the curve', { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' }, 'ES256'],
  ['an unknown curve', { kty: 'EC', crv: 'P-1', x: 'AAAA', y: 'AAAA' }, 'ES256'],
  ['a short Edwards key', { ...publicEd, x: 'AAAA' }, 'EdDSA'],
  ['no type', { x: 'AAAA' }, 'EdDSA'],
  ['a key whose alg is no text', { ...publicEd, alg: { a: 1 } }, 'EdDSA'],
];

test.each(unusable)('a token of %s is refused, and the other keys work', async (_, key, alg) => {
  await using keys = await startKeys(json({ keys: [{ ...key, kid: 'bad' }, good] }));
  const token = await sign('bad');
  const header = Buffer.from(JSON.stringify({ alg, kid: 'bad' })).toString('base64url');
  const forged = `${header}${token.slice(token.indexOf('.'))}`;
  expect(await keys.outcome(forged)).toBe('token_signature_invalid');
  expect(await keys.outcome(await sign('good'))).toBe('alice');
  expect(keys.facts).toEqual([
    {
      type: 'degraded',
      part: 'token_keys',
      detail: expect.stringMatching(/^keys of JWKS_URL are not used: key "bad" (has|is) /),
    },
  ]);
});
