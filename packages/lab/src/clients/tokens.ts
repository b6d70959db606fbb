import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { TEST_JWT_SECRET } from '@leque/testkit';

export type Claims = Readonly<Record<string, unknown>>;

/** A token that the test systems accept. */
export function tokenFor(user: string, claims: Claims = {}): string {
  return hs256({ sub: user, exp: inSeconds(600), ...claims });
}

/** A token that expired longer ago than the allowed clock skew. */
export function expiredTokenFor(user: string): string {
  return tokenFor(user, { exp: inSeconds(-60) });
}

export function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1000) + seconds;
}

export function hs256(claims: Claims, secret: string = TEST_JWT_SECRET): string {
  const signed = signingInput('HS256', claims);
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** An unsigned token (`alg: none`). */
export function unsigned(claims: Claims): string {
  return `${signingInput('none', claims)}.`;
}

/** A key pair with a signer. */
export function rsaSigner(): { publicKey: string; rs256(claims: Claims): string } {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    publicKey: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    rs256(claims) {
      const signed = signingInput('RS256', claims);
      const signature = sign('sha256', Buffer.from(signed), pair.privateKey);
      return `${signed}.${signature.toString('base64url')}`;
    },
  };
}

function signingInput(alg: string, claims: Claims): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${encode({ alg, typ: 'JWT' })}.${encode(claims)}`;
}
