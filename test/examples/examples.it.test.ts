import { RawClient, wsUrl } from '@leque/lab';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ask, type Card, followRun, openBoard, openDesk } from './example-clients.ts';
import { type RunningExamples, startExamples } from './running-examples.ts';

const PATIENCE = { timeout: 20_000, interval: 20 };
const MISSED = 20;

let examples: RunningExamples;
beforeAll(async () => {
  examples = await startExamples();
});
afterAll(() => examples?.[Symbol.asyncDispose]());
beforeEach(async () => {
  examples.proxy.restore();
  const [first] = examples.cluster.gateways;
  if (!first?.running) await first?.restart();
});

const numbers = Array.from({ length: MISSED }, (_, index) => index + 1);

/** Kills the gateway at which all clients are; what happens next happens before they are back. */
async function whileGatewayIsKilled(task: () => Promise<unknown>): Promise<void> {
  await examples.cluster.kill(0);
  await task();
}

async function whileOffline(task: () => Promise<unknown>): Promise<void> {
  examples.proxy.refuse();
  await task();
  examples.proxy.restore();
}

test('[GAP] [DUP] [ORD] a board shows each change once, through a killed gateway and a time offline', async () => {
  const server = examples.boardUrl;
  const seen: number[] = [];
  const onChange = (cards: readonly Card[]) => {
    const { version = 0 } = cards.find(({ id }) => id === 'write') ?? {};
    if (version > 0 && version !== seen.at(-1)) seen.push(version);
  };
  using ana = openBoard({ server, user: 'ana' });
  using ben = openBoard({ server, user: 'ben', onChange });
  await expect.poll(() => [ana.cards.size, ben.cards.size], PATIENCE).toEqual([3, 3]);
  const moveOn = async () => {
    for (const number of numbers) await ana.move('write', `column ${number}`);
  };
  const isSame = () => ben.cards.get('write')?.version === ana.cards.get('write')?.version;
  await moveOn();
  await expect.poll(isSame, PATIENCE).toBe(true);
  await whileGatewayIsKilled(moveOn);
  await expect.poll(isSame, PATIENCE).toBe(true);
  await whileOffline(moveOn);
  await expect.poll(isSame, PATIENCE).toBe(true);
  expect(ben.cards.get('write')).toEqual(ana.cards.get('write'));
  const [first = 0] = seen;
  expect(seen).toEqual(seen.map((_, index) => first + index));
});

test('[ISO] a user who is thrown out of a board hears nothing of it any more, with any client', async () => {
  const server = examples.strictBoardUrl;
  let isClosed = false;
  const onClosed = () => {
    isClosed = true;
  };
  using ana = openBoard({ server, user: 'ana' });
  using eva = openBoard({ server, user: 'eva', onClosed });
  await expect.poll(() => [ana.cards.size, eva.cards.size], PATIENCE).toEqual([3, 3]);
  // A client that ignores the news, and keeps the grant.
  const { token } = (await ask({ server, user: 'eva' }, '/token')) ?? {};
  const url = wsUrl(examples.gatewayUrl, '/ws/notifications');
  await using stubborn = await RawClient.connect(url, { token: String(token) });
  const subscribe = { action: 'subscribe', project_id: 'board:9', grant: '' };
  const join = async () => {
    const { grant } = (await ask({ server, user: 'eva' }, '/boards/9')) ?? {};
    subscribe.grant = String(grant);
    return (await stubborn.ask(subscribe)).type;
  };
  await expect.poll(join, PATIENCE).toBe('subscribed'); // a slow machine may take longer than a grant

  await ask({ server, user: 'ana' }, '/boards/9/members/eva', { method: 'DELETE' });
  await expect.poll(() => isClosed, PATIENCE).toBe(true);
  expect(await stubborn.first('unsubscribed')).toMatchObject({ data: { reason: 'grant_expired' } });
  const heard = stubborn.all('card.changed').length;
  await ana.move('write', 'done');
  // What comes after the change shows that the change does not come.
  await ask({ server, user: 'ana' }, '/boards/9/members/eva', { method: 'DELETE' });
  await expect.poll(() => stubborn.all('board.closed').length, PATIENCE).toBe(2);
  expect(stubborn.all('card.changed')).toHaveLength(heard);
  expect(await stubborn.ask(subscribe)).toMatchObject({ data: { code: 'grant_expired' } });
  // Those who stay go on with new grants.
  using late = openBoard({ server, user: 'ben' });
  await expect.poll(() => late.cards.get('write')?.column, PATIENCE).toBe('done');
  await late.move('write', 'to do');
  await expect.poll(() => ana.cards.get('write')?.column, PATIENCE).toBe('to do');
});

test('[GAP] [DUP] a support desk shows each message once, whatever is typed meanwhile', async () => {
  const server = examples.deskUrl;
  using carl = await openDesk({ server, user: 'carl' });
  using ana = await openDesk({ server, user: 'ana' });
  const texts = ({ messages }: typeof ana) => messages().map(({ text }) => text);
  await carl.say('0');
  await expect.poll(() => [texts(carl), texts(ana)], PATIENCE).toEqual([['0'], ['0']]);
  await carl.type();
  await expect.poll(() => ana.typing.names, PATIENCE).toEqual(['carl']);
  expect(carl.typing.names).toEqual([]);
  const talk = async () => {
    for (const number of numbers) {
      await carl.say(`${number}`);
      await Promise.all(Array.from({ length: 11 }, () => carl.type()));
    }
  };
  const all = (times: number) => {
    const each = [
      '0',
      ...Array.from({ length: times }, () => numbers)
        .flat()
        .map(String),
    ];
    return [each, each];
  };
  await whileGatewayIsKilled(talk);
  await expect.poll(() => [texts(carl), texts(ana)], PATIENCE).toEqual(all(1));
  await whileOffline(talk);
  await expect.poll(() => [texts(carl), texts(ana)], PATIENCE).toEqual(all(2));

  await ask({ server, user: 'carl' }, '/conversations/7/people/ana', { method: 'DELETE' });
  await carl.say('secret');
  using ben = await openDesk({ server, user: 'ben' });
  await expect.poll(() => texts(ben).at(-1), PATIENCE).toBe('secret');
  expect(texts(ana)).not.toContain('secret');
});

test("[GAP] [DUP] everybody who follows an agent's run ends with the same text, whenever they came", async () => {
  const server = examples.agentUrl;
  const { run } = (await ask({ server, user: 'ana' }, '/runs', { method: 'POST', body: {} })) ?? {};
  const id = String(run);
  let text = '';
  const say = async () => {
    for (const number of numbers) {
      const token = `${number} `;
      text += token;
      await ask({ server, user: 'ana' }, `/runs/${id}/tokens`, { method: 'POST', body: { token } });
    }
  };
  const follow = () => followRun({ server, user: 'ana', run: id });
  const textOf = ({ state }: ReturnType<typeof follow>) => state.text;
  using early = follow();
  await say();
  await expect.poll(() => textOf(early), PATIENCE).toBe(text);
  using late = follow();
  await expect.poll(() => textOf(late), PATIENCE).toBe(text);
  await whileGatewayIsKilled(say);
  await expect.poll(() => [textOf(early), textOf(late)], PATIENCE).toEqual([text, text]);
  await whileOffline(async () => {
    await say();
    await ask({ server, user: 'ana' }, `/runs/${id}/end`, { method: 'POST' });
  });
  const finished = { text, isFinished: true };
  await expect.poll(() => [early.state, late.state], PATIENCE).toEqual([finished, finished]);
  using afterwards = follow();
  await expect.poll(() => afterwards.state, PATIENCE).toEqual(finished);
});
