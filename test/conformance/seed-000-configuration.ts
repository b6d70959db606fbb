import { RawClient, type StartSystem, type System, wsUrl } from '@leque/lab';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const NOTIFICATIONS = '/ws/notifications';
const CONFIGURED = {
  WEBSOCKET_HEARTBEAT_INTERVAL: '0.4',
  WEBSOCKET_TIMEOUT: '0.8',
  WEBSOCKET_MAX_CONNECTIONS: '3',
  WEBSOCKET_MAX_MESSAGE_SIZE: '512',
  CORS_ORIGIN: 'https://app.example,https://b.example',
};

/** The four variables of "Configuracoes", and CORS, with values of their own and with defaults. */
export function describeConfiguration(startSystem: StartSystem, shared: () => System): void {
  let system: System;
  beforeAll(async () => {
    system = await startSystem(CONFIGURED);
  });
  afterAll(() => system?.[Symbol.asyncDispose]());

  describe('Configuracoes', () => {
    test('`WEBSOCKET_HEARTBEAT_INTERVAL` — Intervalo de heartbeat (segundos)', async () => {
      await using client = await RawClient.connect(wsUrl(system.node.url, NOTIFICATIONS));
      const beats = () => client.all('heartbeat').map(({ timestamp }) => Date.parse(timestamp));
      await expect.poll(() => beats().length, { timeout: 5000 }).toBeGreaterThanOrEqual(4);
      const [first = 0, , , fourth = 0] = beats();
      expect(fourth - first).toBeGreaterThan(1000);
      expect(fourth - first).toBeLessThan(2000);
    });

    test('`WEBSOCKET_TIMEOUT` — Timeout para desconexao (segundos): a silent client is closed with 4009', async () => {
      const url = wsUrl(system.node.url, NOTIFICATIONS);
      const openedAt = Date.now();
      await using silent = await RawClient.connect(url, { autoPong: false });
      await using breathing = await RawClient.connect(url);
      await using talking = await RawClient.connect(url, { autoPong: false });
      talking.socket.on('message', (text: Buffer) => {
        if (JSON.parse(text.toString()).type === 'heartbeat') talking.send('ping');
      });
      expect(await silent.closed).toMatchObject({ code: 4009 });
      const silentMs = Date.now() - openedAt;
      expect(silentMs).toBeGreaterThanOrEqual(780);
      expect(silentMs).toBeLessThan(3000);
      // A pong of the protocol proves life as well as a frame; both outlive a second timeout.
      await expect
        .poll(() => Date.now() - openedAt - silentMs, { timeout: 3000 })
        .toBeGreaterThan(900);
      for (const alive of [breathing, talking]) {
        expect(await alive.ask({ action: 'ping' })).toMatchObject({ type: 'pong' });
      }
    });

    test('`WEBSOCKET_MAX_CONNECTIONS` — Limite de conexoes simultaneas: one too many is closed with 1013', async () => {
      const url = wsUrl(system.node.url, NOTIFICATIONS);
      await using first = await RawClient.connect(url);
      await using second = await RawClient.connect(wsUrl(system.node.url, '/ws/logs'));
      await using _third = await RawClient.connect(url);
      await using fourth = await RawClient.open(url);
      expect(await fourth.closed).toMatchObject({ code: 1013 });
      expect(fourth.all('connection')).toEqual([]);
      expect(await second.ask({ action: 'ping' })).toMatchObject({ type: 'pong' });
      await first.close();
      await using _next = await RawClient.connect(url);
    });

    test('`WEBSOCKET_MAX_MESSAGE_SIZE` — Tamanho maximo de mensagem (bytes): a larger one is closed with 1009', async () => {
      await expectSizeLimit(wsUrl(system.node.url, NOTIFICATIONS), 512);
    });

    test('by default 1000 connections and messages of 65536 bytes are taken', async () => {
      // Empty is not set: it tells a system of several gateways to have one.
      await using defaults = await startSystem({ WEBSOCKET_MAX_CONNECTIONS: '' });
      const url = wsUrl(defaults.node.url, NOTIFICATIONS);
      await expectSizeLimit(url, 65_536);
      await using stack = new AsyncDisposableStack();
      for (let group = 0; group < 10; group += 1) {
        const opening = Array.from({ length: 100 }, () => RawClient.connect(url));
        for (const client of await Promise.all(opening)) stack.use(client);
      }
      const last = stack.use(await RawClient.open(url));
      expect(await last.closed).toMatchObject({ code: 1013 });
    });
  });

  describe('Conexao Fecha Imediatamente', () => {
    test('Verifique CORS: `CORS_ORIGIN` decides which pages may connect', async () => {
      const url = wsUrl(system.node.url, NOTIFICATIONS);
      for (const origin of ['https://app.example', 'https://b.example', system.node.url]) {
        await using _client = await RawClient.connect(url, { origin });
      }
      for (const origin of ['https://evil.example', 'http://app.example', 'null']) {
        expect(await RawClient.refusal(url, { origin })).toMatchObject({ status: 403 });
      }
    });

    test('Confirme a URL: one that is no endpoint is refused with 404', async () => {
      const refusal = await RawClient.refusal(wsUrl(shared().node.url, '/ws/nowhere'));
      expect(refusal).toMatchObject({ status: 404 });
    });
  });
}

/** A message of the limit is answered, one byte more ends the connection. */
async function expectSizeLimit(url: string, limit: number): Promise<void> {
  await using client = await RawClient.connect(url);
  const padded = (length: number) => {
    const text = JSON.stringify({ action: 'ping', id: 'sized', padding: '' });
    return text.replace('"padding":""', `"padding":"${'x'.repeat(length - text.length)}"`);
  };
  client.send(padded(limit));
  expect(await client.first(({ id }) => id === 'sized')).toMatchObject({ type: 'pong' });
  client.send(padded(limit + 1));
  expect(await client.closed).toMatchObject({ code: 1009 });
}
