import { FakeClock } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import type { GrantVerifier } from '../ports/grant-verifier.ts';
import { Admission } from './admission.ts';
import { pacedGrantVerifier } from './paced-grant-verifier.ts';

const GRANT = { userId: 'alice', projects: ['P'], expiresAt: 1, notBefore: undefined };

test('[LIVE] grants are verified at a pace, and those that were verified before do not wait', async () => {
  const clock = new FakeClock();
  const admission = new Admission(clock, { rate: 100, burst: 2, waitMs: 1000 });
  const verified: string[] = [];
  const verifier: GrantVerifier = {
    async verify(grant) {
      verified.push(grant);
      return GRANT;
    },
    recall: (grant) => (verified.includes(grant) ? GRANT : undefined),
  };
  const paced = pacedGrantVerifier(verifier, admission);
  const asked = ['a', 'b', 'c'].map((grant) => paced.verify(grant));
  await Promise.all(asked.slice(0, 2));
  expect(verified).toEqual(['a', 'b']);
  expect(await paced.verify('a')).toBe(GRANT);
  clock.advance(20);
  await asked[2];
  expect(verified).toEqual(['a', 'b', 'c']);
  admission.close();
  await expect(paced.verify('d')).rejects.toMatchObject({ code: 'draining' });
  expect(await paced.verify('a')).toBe(GRANT);
});
