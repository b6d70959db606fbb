import { describe, expect, test } from 'vitest';
import { at, HubUnderTest, P } from '../../test/hub-under-test.ts';
import { outcomesOf, resumeChannels } from './resume-results.ts';

describe('the result of resuming a channel', () => {
  test('[GAP] [DUP] says where the channel stands when the answer is made, not before', async () => {
    const node = new HubUnderTest();
    node.broker.position = at(20);
    const { session } = node.connect();
    await node.subscribe(session, P);
    node.deliver(P, 21);
    const results = await resumeChannels(node.telemetry, [P], (channel) =>
      node.hub.subscribe(session, channel, { since: at(20) }),
    );
    node.deliver(P, 22);
    expect(outcomesOf(results)).toEqual({ [P]: { recovered: true, cursor: 'e.21' } });
    session.subscriptions.get(P)?.start();
    expect(outcomesOf(results)).toEqual({ [P]: { recovered: true, cursor: 'e.22' } });
  });

  test('[RE4] is an outcome also when the channel was refused', async () => {
    const node = new HubUnderTest();
    const { session } = node.connect();
    const results = await resumeChannels(node.telemetry, ['project:Q'], (channel) =>
      node.hub.subscribe(session, channel, { since: at(20) }),
    );
    expect(outcomesOf(results)).toMatchObject({
      'project:Q': { recovered: false, code: 'forbidden' },
    });
  });
});
