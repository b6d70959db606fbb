import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeSocket } from './fake-socket.ts';

interface Run {
  readonly state: { readonly text: string; readonly isFinished: boolean };
  close(): void;
}

const ROOM = 'project:run:7';
const { followRun } = (await import(
  new URL('../../examples/agent/run.js', import.meta.url).href
)) as { followRun: (options: object) => Run };

describe("the client of an agent's run", () => {
  /** What the server has: the text of the run so far. */
  let text: string;
  let fetches: number;
  let run: Run;

  beforeEach(async () => {
    FakeSocket.all.length = 0;
    vi.stubGlobal('WebSocket', FakeSocket);
    [text, fetches] = ['', 0];
    vi.stubGlobal('fetch', async (url: string) => {
      if (url.endsWith('/token')) return Response.json({ url: 'http://localhost', token: 'JWT' });
      fetches += 1;
      const expires_at = new Date(Date.now() + 60_000).toISOString();
      return Response.json({ text, isFinished: false, grant: 'JWT', cursor: 'e.0', expires_at });
    });
    run = followRun({ run: '7', user: 'ana', server: 'http://localhost' });
    await expect.poll(() => [FakeSocket.all.length, fetches]).toEqual([1, 1]);
    says({ type: 'connection', data: { cursors: {} } });
    await expect.poll(() => FakeSocket.all[0]?.sent.length).toBeGreaterThan(0);
  });
  afterEach(() => {
    run.close();
    vi.unstubAllGlobals();
  });

  const says = (message: object) => FakeSocket.all.at(-1)?.says(message);
  const joined = () => {
    const channels = { [ROOM]: { recovered: true, cursor: 'e.0' } };
    says({ type: 'subscribed', data: { channels } });
  };
  const caughtUp = () => says({ type: 'caught_up', data: { channels: [ROOM] } });
  const token = (at: number, token: string) =>
    says({ type: 'run.token', channel: ROOM, live: true, data: { at, token } });

  test('has the tokens that came between the state and the subscription', async () => {
    joined();
    text = 'It works'; // sent while the client was not subscribed
    caughtUp();
    await expect.poll(() => run.state.text).toBe('It works');
  });

  test('puts tokens behind those that it has to fetch, and drops old ones', async () => {
    joined();
    token(0, 'It');
    token(0, 'It');
    expect(run.state.text).toBe('It');
    text = 'It works';
    token(8, ' well'); // the one before it is missing
    token(13, '.');
    await expect.poll(() => run.state.text).toBe('It works well.');
  });

  test('ends with the text of the result, whatever it has heard', async () => {
    joined();
    token(3, 'lost');
    says({ type: 'run.finished', channel: ROOM, cursor: 'e.1', data: { text: 'It works.' } });
    expect(run.state).toEqual({ text: 'It works.', isFinished: true });
  });
});
