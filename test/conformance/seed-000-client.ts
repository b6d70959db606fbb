import { publish, type StartSystem, type System } from '@leque/lab';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SeedPage, seedText } from '../support/seed-page.ts';

/** The class first waits one second, then two, then four; a restart takes it past the first. */
const RECONNECT_DEADLINE = { timeout: 10_000 };

/** "Reconexao Automatica (Cliente)": the document's own class, as it stands. */
export function describeClient(startSystem: StartSystem): void {
  describe('Reconexao Automatica (Cliente)', () => {
    let system: System;
    beforeAll(async () => {
      system = await startSystem({ WEBSOCKET_HEARTBEAT_INTERVAL: '0.3', WEBSOCKET_TIMEOUT: '1' });
    });
    afterAll(() => system?.[Symbol.asyncDispose]());

    test('class `WebSocketClient` comes back by itself across a restart of its gateway', async () => {
      await using page = new SeedPage(system.node.url);
      page.run(seedText('seed-000-client'));
      await page.said('Conectado');
      // Its publications reach the page once the server has said `connection`.
      await page.run(`new Promise((done) => {
        client.ws.addEventListener('message', done, { once: true });
      })`);
      await publish(system, story('antes'));
      await saidStory(page, 'antes');

      await system.node.restart();
      const connections = () => page.console.items.filter(([word]) => word === 'Conectado').length;
      await expect.poll(connections, RECONNECT_DEADLINE).toBe(2);
      expect(page.console.items).toContainEqual(['Desconectado, reconectando...']);
      expect(page.run('client.reconnectDelay')).toBe(1000);

      // Its `send` works again, and so do the events.
      page.run(`client.send({ action: 'subscribe', project_id: 'PROJ-001' })`);
      await expect
        .poll(() => storyComesThrough(page, () => publish(system, story('depois'))))
        .toBe(true);
    });

    test('[EV2.2] events that an application calls `heartbeat`, `stats` and `error` do it no harm', async () => {
      await using page = new SeedPage(system.node.url);
      page.run(seedText('seed-000-client'));
      await page.said('Conectado');
      for (const type of ['heartbeat', 'stats', 'error', 'heartbeat']) {
        await publish(system, { type, data: { monitorID: 7 }, project_id: 'PROJ-001' });
      }
      await expect
        .poll(() => storyComesThrough(page, () => publish(system, story('depois'))))
        .toBe(true);
      expect(page.console.items.filter(([text]) => text === 'Conectado')).toHaveLength(1);
    });

    test('its answer to `heartbeat` keeps it connected, and `close()` ends it', async () => {
      await using page = new SeedPage(system.node.url);
      page.run(seedText('seed-000-client'));
      await page.said('Conectado');
      page.run(`let beats = 0, pongs = 0;
        client.ws.addEventListener('message', ({ data }) => {
          const { type } = JSON.parse(data);
          if (type === 'heartbeat') beats += 1;
          if (type === 'pong') pongs += 1;
        });`);
      // Well beyond the timeout.
      await expect.poll(() => page.run('beats'), { timeout: 5000 }).toBeGreaterThan(6);
      expect(page.run('pongs')).toBeGreaterThan(4);
      expect(page.console.items).toEqual([['Conectado']]);
      page.run('client.ws.onclose = () => console.log("fechado"); client.close()');
      await page.said('fechado');
    });
  });
}

async function saidStory(page: SeedPage, title: string): Promise<void> {
  await page.console.first(
    ([label, data]) => label === 'Nova story:' && (data as { title: string }).title === title,
  );
}

/** `subscribed` is nothing that the class tells about, so the event is sent until it arrives. */
async function storyComesThrough(page: SeedPage, send: () => Promise<unknown>): Promise<boolean> {
  await send();
  return page.console.items.some(
    ([label, data]) => label === 'Nova story:' && (data as { title: string }).title === 'depois',
  );
}

function story(title: string) {
  const data = { story_id: 'STR-0001', title, project_id: 'PROJ-001' };
  return { type: 'story_created', project_id: 'PROJ-001', data };
}
