import { expect, test } from 'vitest';
import { at, HubUnderTest, P } from '../../test/hub-under-test.ts';
import { outcomeOrRefusal, outcomesOf } from './transport.ts';

test('[GAP] [DUP] a client is told of a channel as it is when it is told, not when it was through', async () => {
  const node = new HubUnderTest();
  node.broker.position = at(20);
  const { session } = node.connect();
  await node.subscribe(session, P);
  node.deliver(P, 21);
  const told = await outcomeOrRefusal(node.telemetry, () =>
    node.hub.subscribe(session, P, { since: at(20) }),
  );
  node.deliver(P, 22);
  expect(outcomesOf([[P, told]])).toEqual({ [P]: { recovered: true, cursor: 'e.22' } });
});

test('[RE4] a channel that failed has an outcome, too', async () => {
  const node = new HubUnderTest();
  const { session } = node.connect();
  const told = await outcomeOrRefusal(node.telemetry, () =>
    node.hub.subscribe(session, 'project:Q', { since: at(20) }),
  );
  expect(outcomesOf([['project:Q', told]])).toMatchObject({
    'project:Q': { recovered: false, code: 'forbidden' },
  });
});
