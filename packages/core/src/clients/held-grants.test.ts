import { ProtocolError } from '@leque/protocol';
import { FakeClock } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import type { RoomGrant } from '../access/room-grants.ts';
import type { GrantVerifier } from '../ports/grant-verifier.ts';
import { HeldGrants, outcomesByGrants, refusedFields } from './held-grants.ts';

type Client = ConstructorParameters<typeof HeldGrants>[0];

function holderWith(verify: GrantVerifier['verify']) {
  const clock = new FakeClock();
  const session = {
    open: true,
    rooms: undefined,
    identity: { userId: 'alice' },
    subscriptions: new Map(),
  };
  const context = { clock, grants: { verify }, limits: { maxSubscriptions: 2 } };
  const client = { session, context, grantsExpired: () => {} } as unknown as Client;
  return { client, held: new HeldGrants(client), clock };
}

const grantFor = (project: string, end: number): RoomGrant => ({
  userId: 'alice',
  projects: [project],
  expiresAt: end,
  notBefore: undefined,
});

test('[GR2.3] a refused grant is named by its place, and as the reason of its channel', async () => {
  const { client, held, clock } = holderWith(async (text) => {
    if (text === 'wrong') throw new ProtocolError('grant_expired', 'grant has expired');
    return grantFor(text, clock.now() + 1000);
  });
  const refused = await held.holdAll(['A', 'wrong', 'B']);
  const refusal = { code: 'grant_expired', message: 'grant has expired' };
  expect(refusedFields(['A', 'wrong', 'B'], refused)).toEqual({
    refused_grants: [{ grant: 1, ...refusal }],
  });
  expect(refusedFields(['A'], new Map())).toEqual({});
  const forbidden = { outcome: { recovered: false, code: 'forbidden', message: 'no' } };
  const results = [
    ['project:C', forbidden],
    ['project:D', forbidden],
    ['project:A', { outcome: { cursor: 'e.1' } }],
  ] as const;
  const grantOf = (channel: string) => (channel === 'project:D' ? undefined : 'wrong');
  expect(outcomesByGrants(results, grantOf, refused)).toEqual({
    'project:C': { recovered: false, ...refusal },
    'project:D': forbidden.outcome,
    'project:A': { cursor: 'e.1' },
  });
  expect(client.session.rooms?.covers('project:B')).toBe(true);
  expect(clock.pending).toBe(1);
  held.end();
  expect(clock.pending).toBe(0);
});

test('[GR2.4] [GAP] a grant that cannot be verified now fails the command', async () => {
  const { held } = holderWith(async () => {
    throw new ProtocolError('overloaded', 'later');
  });
  await expect(held.holdAll(['A', 'B'])).rejects.toMatchObject({ code: 'overloaded' });
});

test('[LIVE] [MEM] grants are verified one after the other, and held for as many projects as channels', async () => {
  const running = { now: 0, most: 0 };
  const { held, clock } = holderWith(async (text) => {
    running.now += 1;
    running.most = Math.max(running.most, running.now);
    await Promise.resolve();
    running.now -= 1;
    return { ...grantFor(text, clock.now() + 1000), projects: text.split(',') };
  });
  const refused = await held.holdAll(['A', 'B', 'A', 'C,D,E']);
  expect(running.most).toBe(1);
  expect([...refused]).toMatchObject([['C,D,E', { code: 'too_many_subscriptions' }]]);
  held.end();
});
