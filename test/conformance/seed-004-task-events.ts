import { post, publish, SocketClient, tokenFor } from '@leque/lab';
import { describe, expect, test } from 'vitest';
import type { Setting } from './seed-004-setting.ts';

/** Comes whenever a connection of the same user opens or closes. */
const COUNTED = 'connections.count';
const AT = '2024-01-01T00:00:00.000Z';
const task = { taskId: 'task-uuid', userId: 'user-uuid', agentId: 'agent-uuid' };

/** The document's payloads, each with what it says about them. */
const EVENTS = [
  {
    type: 'task.created',
    description: 'Uma nova task foi criada.',
    data: {
      ...task,
      status: 'pending',
      priority: 'normal',
      prompt: 'User prompt...',
      createdAt: AT,
    },
  },
  {
    type: 'task.processing',
    description: 'Task iniciou processamento.',
    data: { ...task, status: 'processing', updatedAt: AT },
  },
  {
    type: 'task.completed',
    description: 'Task foi concluída com sucesso.',
    data: {
      ...task,
      status: 'completed',
      response: 'LLM response...',
      tokensUsed: 150,
      executionTimeMs: 2500,
      completedAt: AT,
      updatedAt: AT,
    },
  },
  {
    type: 'task.failed',
    description: 'Task falhou.',
    data: {
      ...task,
      status: 'failed',
      error: 'Error message...',
      retryCount: 1,
      completedAt: AT,
      updatedAt: AT,
    },
  },
  {
    type: 'task.cancelled',
    description: 'Task foi cancelada.',
    data: { ...task, status: 'cancelled', updatedAt: AT },
  },
] as const;

export function describeTaskEvents({ system, connect, options }: Setting): void {
  describe('Eventos Recebidos pelo Cliente', () => {
    for (const { type, description, data } of EVENTS) {
      test(`\`${type}\` — ${description}`, async () => {
        await using client = await connect('user-uuid');
        const event = { type, user_id: 'user-uuid', data, timestamp: AT };
        const { message_id, cursor } = await publish(system(), event);
        const mine = (payload: object) =>
          'message_id' in payload && payload.message_id === message_id;
        const payload = await client.first(type, mine);
        expect(payload).toMatchObject({ event: type, data, timestamp: AT, message_id, cursor });
        expect(payload['data']).toEqual(data);
        expect(await client.first('task.event', mine)).toEqual(payload);
      });
    }

    test('`task.event` — Evento genérico para todos os tipos de eventos de task', async () => {
      const user = `user-generic-${options.client}-${options.transport}`;
      await using client = await connect(user);
      for (const { type, data } of EVENTS) {
        await publish(system(), { type, user_id: user, data: { ...data, userId: user } });
      }
      const last = EVENTS.at(-1)?.type;
      await client.first('task.event', ({ event }) => event === last);
      const all = EVENTS.map(({ type }) => type);
      expect(client.all('task.event').map(({ event }) => event)).toEqual(all);
      // Each under its own name first, and both in the order of publication [ORD].
      const names = client.events
        .map(({ name }) => name)
        .filter((name) => name.startsWith('task.'));
      expect(names).toEqual(all.flatMap((type) => [type, 'task.event']));
    });

    test('an event of the user that is no task comes under its own name only', async () => {
      await using client = await connect('user-notified');
      const data = { title: 'Aviso', message: 'Deploy concluido' };
      await publish(system(), { type: 'notification', user_id: 'user-notified', data });
      expect(await client.first('notification')).toMatchObject({ event: 'notification', data });
      // A later event on the same path shows that nothing more was to come.
      await publish(system(), { type: 'end', user_id: 'user-notified', data: {} });
      await client.first('end');
      const names = client.events.map(({ name }) => name).filter((name) => name !== COUNTED);
      expect(names).toEqual(['connected', 'notification', 'end']);
    });

    test('a task event without its ids is refused by name', async () => {
      for (const { type, data } of EVENTS) {
        const { agentId: _, ...rest } = data;
        const event = { type, user_id: 'user-uuid', data: rest };
        const { status, body } = await post(`${system().publisher.url}/api/publish`, event);
        expect({ type, status }).toEqual({ type, status: 400 });
        expect(JSON.stringify(body)).toContain('data.agentId');
      }
    });
  });

  describe('Segurança', () => {
    test('Isolamento por usuário: user A never sees an event of user B [ISO]', async () => {
      await using a = await connect('user-A');
      await using b = await connect('user-B');
      for (const user of ['user-B', 'user-A']) {
        const data = { ...task, userId: user, status: 'pending' };
        await publish(system(), { type: 'task.created', user_id: user, data });
      }
      const owners = (client: SocketClient) =>
        client.all('task.created').map(({ data }) => (data as { userId: string }).userId);
      // Later ones on the same ways: whatever was to come has come before them.
      for (const user of ['user-A', 'user-B']) {
        await publish(system(), { type: 'end', user_id: user, data: {} });
      }
      await Promise.all([a.first('end'), b.first('end')]);
      expect([owners(a), owners(b)]).toEqual([['user-A'], ['user-B']]);
    });
  });

  describe('Performance', () => {
    test('Suporta múltiplas conexões do mesmo usuário (tabs/dispositivos): all receive', async () => {
      const user = `user-tabs-${options.client}-${options.transport}`;
      await using tab = await connect(user);
      await using otherTab = await connect(user);
      await using phone = await SocketClient.connect(system().otherNode.url, {
        ...options,
        token: tokenFor(user),
      });
      const { message_id } = await publish(system(), {
        type: 'task.created',
        user_id: user,
        data: { ...task, userId: user },
      });
      for (const client of [tab, otherTab, phone]) {
        expect(await client.first('task.created')).toMatchObject({ message_id });
      }
    });
  });
}
