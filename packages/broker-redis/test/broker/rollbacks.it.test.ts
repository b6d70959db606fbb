import { describeOnOwnRedis } from '@leque/testkit/contracts';
import { makeEvent, upTo } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { command } from '../support/foreign-service.ts';
import { startTogether } from '../support/together.ts';

const PATIENCE = { timeout: 10_000 };
const P = 'project:P';

describeOnOwnRedis('a Redis whose data goes back within one run', () => {
  test.each([
    ['is noticed by the next publication', 'publish'],
    ['is noticed when the node connects again', 'reconnect'],
  ])('[GAP] %s: those who stayed and those who were away learn of it', async (_, how) => {
    await using all = await startTogether();
    const { redis, near, prefix } = all;
    const publish = () => near.broker.publish(makeEvent(P));
    await near.broker.subscribe(P);
    for (let n = 0; n < 11; n += 1) await publish();
    const [meta, log] = [`${prefix}{${P}}:meta`, `${prefix}{${P}}:log`];
    const old = `${prefix}{old}`;
    await command(redis.url, 'COPY', meta, `${old}:meta`);
    await command(redis.url, 'COPY', log, `${old}:log`);
    for (let n = 0; n < 3; n += 1) await publish();
    await expect.poll(() => near.sink.offsets(P).at(-1), PATIENCE).toBe(14);
    const away = (await near.broker.history(P, undefined, upTo(1))).position;
    await command(redis.url, 'COPY', `${old}:meta`, meta, 'REPLACE');
    await command(redis.url, 'COPY', `${old}:log`, log, 'REPLACE');
    if (how === 'publish') await publish();
    else await command(redis.url, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
    await expect.poll(() => near.sink.resyncs(P), PATIENCE).toHaveLength(1);
    const before = near.sink.of(P).length;
    for (let n = 0; n < 4; n += 1) await publish();
    await expect.poll(() => near.sink.of(P).length, PATIENCE).toBe(before + 4);
    expect(away?.offset).toBe(14);
    expect(await near.broker.history(P, away, upTo(100))).toMatchObject({ complete: false });
  });
});
