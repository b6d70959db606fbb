import { expect, it } from 'vitest';
import { makeToken } from './make-token.ts';

const OPTIONS = { user: 'alice', projects: '', scope: '', ttl: '60' };

it.each(['JWT_PUBLIC_KEY', 'JWT_PUBLIC_KEY_FILE', 'JWKS_URL'])(
  'no token is signed with the secret of leque dev where servers verify with %s',
  async (name) => {
    await expect(makeToken(OPTIONS, { [name]: 'a key' })).rejects.toThrow(`${name} is set`);
  },
);
