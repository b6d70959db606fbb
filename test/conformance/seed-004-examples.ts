import { publish, SocketClient, type StartSystem, type System, tokenFor } from '@leque/lab';
import { describe, expect, test } from 'vitest';
import { SeedPage, seedText } from '../support/seed-page.ts';

/** Logs are written a moment after what they tell. */
const SOON = { timeout: 2000, interval: 25 };

/** The document's examples, as they stand. */
export function describeExamples(system: () => System): void {
  describe('Exemplos de Uso', () => {
    test('JavaScript (Browser): the page, as it stands', async () => {
      const user = 'user-browser';
      const shown: unknown[] = [];
      // The parts that the page leaves to its reader.
      const globals = {
        displayResponse: (task: unknown) => shown.push(task),
        showError: (error: unknown) => shown.push(error),
        handleTaskUpdate: () => {},
      };
      await using page = new SeedPage(system().node.url, globals, '4.5.4');
      page.run(seedText('seed-004-browser').replace('YOUR_JWT_TOKEN', tokenFor(user)));
      await page.said('Connected:');
      const data = { taskId: 'task-uuid', userId: user, agentId: 'agent-uuid' };
      for (const type of ['task.created', 'task.processing', 'task.completed', 'task.failed']) {
        const sent = type === 'task.failed' ? { ...data, error: 'Error message...' } : data;
        await publish(system(), { type, user_id: user, data: sent });
        expect(await page.said('Task event:', type)).toEqual(['Task event:', type, sent]);
      }
      expect(await page.said('New task:')).toEqual(['New task:', data]);
      expect(shown).toEqual([data, 'Error message...']);
    });

    test('Node.js: class `TaskEventsService`, as it stands', async () => {
      const user = 'user-service';
      await using page = new SeedPage(system().node.url, {
        localStorage: { getItem: () => tokenFor(user) },
      });
      page.run(seedText('seed-004-task-events-service'));
      await page.said('Connected to real-time events');
      const data = { taskId: 'task-uuid', userId: user, agentId: 'agent-uuid' };
      const said = {
        'task.created': 'Task created',
        'task.processing': 'Task processing',
        'task.completed': 'Task completed',
        'task.failed': 'Task failed',
        'task.cancelled': 'Task cancelled',
      };
      for (const [type, words] of Object.entries(said)) {
        const sent = type === 'task.failed' ? { ...data, error: 'Error message...' } : data;
        await publish(system(), { type, user_id: user, data: sent });
        expect(await page.said(words)).toEqual([words, sent]);
      }
      page.run('taskEvents.disconnect()');
      await expect.poll(() => page.run('taskEvents.socket.connected')).toBe(false);
    });
  });
}

/** The page's statement about the server's logs. */
export function describeServerLogs(startSystem: StartSystem): void {
  test('Logs do Servidor: conexões e desconexões, erros de autenticação, por `EventsGateway`', async () => {
    await using system = await startSystem({ LOG_LEVEL: 'info' });
    const { node } = system;
    const token = tokenFor('user-logged');
    const client = await SocketClient.connect(node.url, { token });
    await client[Symbol.asyncDispose]();
    await SocketClient.refusal(node.url, { token: `${token}x` });
    const logged = () =>
      ['session_opened', 'session_closed', 'connection_refused'].filter((fact) =>
        node.output
          .split('\n')
          .some((line) => line.includes('EventsGateway') && line.includes(fact)),
      );
    await expect.poll(logged, SOON).toHaveLength(3);
    expect(node.output).not.toContain(token);
  });
}
