import {
  CLIENTS,
  type ClientVersion,
  expiredTokenFor,
  hs256,
  inSeconds,
  rsaSigner,
  SocketClient,
  type StartSystem,
  type System,
  tokenFor,
  unsigned,
} from '@leque/lab';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const WAYS = ['header', 'auth.token', 'query'] as const;

/** "Autenticação JWT obrigatória": each bad token has its own clear `connect_error`. */
export function describeRefusals(startSystem: StartSystem, shared: () => System): void {
  describe('Autenticação JWT obrigatória', () => {
    const signer = rsaSigner();
    let withPublicKey: System;
    beforeAll(async () => {
      withPublicKey = await startSystem({ JWT_SECRET: '', JWT_PUBLIC_KEY: signer.publicKey });
    });
    afterAll(() => withPublicKey?.[Symbol.asyncDispose]());

    const claims = () => ({ sub: 'user-uuid', exp: inSeconds(600) });
    const cases = {
      none: { token: () => undefined, message: /token/i },
      expired: { token: () => expiredTokenFor('user-uuid'), message: /expired/i },
      'wrongly signed': {
        token: () => hs256(claims(), 'another-secret-0123456789abcdefghij'),
        message: /signature/i,
      },
      '`alg: none`': { token: () => unsigned(claims()), message: /none/i },
      malformed: { token: () => 'YOUR_JWT_TOKEN', message: /not a .*token|malformed/i },
    } as const;

    for (const [name, { token, message }] of Object.entries(cases)) {
      test(`a connection is refused with a token that is ${name} [IO1]`, async () => {
        const url = shared().node.url;
        for (const client of Object.keys(CLIENTS) as ClientVersion[]) {
          for (const options of inAllWays(token())) {
            const error = await SocketClient.refusal(url, { client, ...options });
            expect(error.message).toMatch(message);
          }
        }
      });
    }

    test('a connection is refused with a token that is signed by HS256 with the public key', async () => {
      const token = hs256(claims(), signer.publicKey);
      for (const options of inAllWays(token)) {
        const error = await SocketClient.refusal(withPublicKey.node.url, options);
        expect(error.message).toMatch(/HS256/);
      }
      const good = { token: signer.rs256(claims()) };
      await using client = await SocketClient.connect(withPublicKey.node.url, good);
      expect(await client.first('connected')).toMatchObject({ userId: 'user-uuid' });
    });

    test('a token without `exp` and one without a user are refused, each by name', async () => {
      const url = shared().node.url;
      const forever = await SocketClient.refusal(url, {
        token: tokenFor('user-uuid', { exp: undefined }),
      });
      expect(forever.message).toContain('exp');
      const nobody = await SocketClient.refusal(url, {
        token: tokenFor('user-uuid', { sub: undefined }),
      });
      expect(nobody.message).toMatch(/sub|user/);
    });

    test('each refusal says something else', async () => {
      const messages = new Set<string>();
      for (const { token } of Object.values(cases)) {
        const options = token() === undefined ? {} : { token: token() as string };
        messages.add((await SocketClient.refusal(shared().node.url, options)).message);
      }
      const confused = { token: hs256(claims(), signer.publicKey) };
      messages.add((await SocketClient.refusal(withPublicKey.node.url, confused)).message);
      expect([...messages]).toHaveLength(Object.keys(cases).length + 1);
    });
  });
}

function inAllWays(token: string | undefined): object[] {
  if (token === undefined) return [{ transport: 'websocket' }, { transport: 'polling' }];
  const options = {
    header: { headers: { Authorization: `Bearer ${token}` } },
    'auth.token': { token },
    query: { query: { token }, transport: 'polling' },
  } as const;
  return WAYS.map((way) => options[way]);
}
