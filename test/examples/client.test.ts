import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeSocket } from './fake-socket.ts';

interface Room {
  readonly grant: string;
  readonly cursor: string;
  readonly expires_at: string;
}

interface Client {
  join(room: string, load: () => Promise<Room | undefined>): Promise<void>;
  close(): void;
}

const CONNECTION = { type: 'connection', data: { cursors: { all: 'e.0' } } };
const CHANNEL = 'project:board:9';

const { RoomClient } = (await import(
  new URL('../../examples/lib/room-client.js', import.meta.url).href
)) as { RoomClient: new (told: object) => Client };

const event = (n: number) => ({
  type: 'note',
  channel: CHANNEL,
  cursor: `e.${n}`,
  data: { n },
});
const roomAt = (cursor: string, minutes = 1): Room => ({
  grant: 'JWT',
  cursor,
  expires_at: new Date(Date.now() + minutes * 60_000).toISOString(),
});

describe('the client of the examples', () => {
  let client: Client;
  let seen: number[];
  let ended: string[];
  let gaps: string[];
  let timesCaughtUp: number;
  let loads: number;
  let state: () => Promise<Room | undefined>;
  let isOnline: () => void;

  beforeEach(async () => {
    vi.useFakeTimers();
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    FakeSocket.all.length = 0;
    vi.stubGlobal('WebSocket', FakeSocket);
    vi.stubGlobal('addEventListener', (_: string, listener: () => void) => {
      isOnline = listener;
    });
    vi.stubGlobal('removeEventListener', () => {});
    [seen, ended, gaps, loads, timesCaughtUp] = [[], [], [], 0, 0];
    state = async () => roomAt('e.4');
    client = new RoomClient({
      getToken: async () => ({ url: 'http://localhost', token: 'JWT' }),
      onEvent: ({ data }: { data: { n: number } }) => seen.push(data.n),
      onEnded: (room: string) => ended.push(room),
      onGap: (channel: string) => gaps.push(channel),
      onCaughtUp: () => {
        timesCaughtUp += 1;
      },
    });
    await vi.advanceTimersByTimeAsync(0);
  });
  afterEach(() => {
    client.close();
    vi.useRealTimers();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });

  const socket = () => FakeSocket.all.at(-1) as FakeSocket;
  const answer = (outcome: object) =>
    socket().says({ type: 'subscribed', data: { channels: { [CHANNEL]: outcome } } });
  const join = () =>
    client.join('board:9', () => {
      loads += 1;
      return state();
    });
  const joined = async () => {
    socket().says(CONNECTION);
    await join();
    answer({ recovered: true, cursor: 'e.4' });
  };
  const cut = async () => {
    socket().onclose?.({ code: 1006, reason: '' });
    await vi.advanceTimersByTimeAsync(1000);
  };
  const presented = () => {
    const { projects } = socket().sent.at(-1) as { projects: { since: string }[] };
    return projects[0]?.since;
  };

  test('presents the cursor of the state, and after a cut that of the last event', async () => {
    await joined();
    socket().says(event(5));
    await cut();
    socket().says(CONNECTION);
    const cursors = { all: 'e.0', [CHANNEL]: 'e.5' };
    expect(socket().sent).toEqual([{ action: 'resume', cursors, grants: ['JWT'] }]);
    expect(loads).toBe(1);
  });

  test('[RE3.7] counts what came before the answer only when the room was recovered', async () => {
    await joined();
    await cut();
    socket().says(CONNECTION);
    for (const n of [3, 4, 5]) socket().says(event(n));
    expect(seen).toEqual([]);
    answer({ recovered: true, cursor: 'e.5' });
    expect(seen).toEqual([5]);
    await cut();
    socket().says(CONNECTION);
    socket().says(event(6));
    answer({ recovered: false, cursor: 'e.9' });
    expect(seen).toEqual([5]);
  });

  test('keeps the cursor of a connection that ended before its answer', async () => {
    await joined();
    await cut();
    socket().says(CONNECTION);
    socket().says(event(5));
    await cut();
    socket().says(CONNECTION);
    expect(socket().sent).toMatchObject([{ cursors: { [CHANNEL]: 'e.4' } }]);
  });

  test.each([
    { loss: { type: 'resync', channel: CHANNEL, data: { cursor: 'e.9' } } },
    { loss: { type: 'unsubscribed', data: { project_id: 'board:9', reason: 'grant_expired' } } },
    {
      loss: {
        type: 'subscribed',
        data: { channels: { [CHANNEL]: { recovered: false, code: 'grant_expired' } } },
      },
    },
  ])(
    'fetches the state and a grant again after $loss.type, and goes on from there',
    async ({ loss }) => {
      await joined();
      state = async () => roomAt('e.12');
      socket().says(loss);
      await vi.advanceTimersByTimeAsync(500);
      expect(loads).toBe(2);
      expect(presented()).toBe('e.12');
      answer({ recovered: true, cursor: 'e.12' });
      for (const n of [12, 13]) socket().says(event(n));
      expect(seen).toEqual([13]);
    },
  );

  test('goes on from its own position when the state that it fetches is older', async () => {
    await joined();
    socket().says(event(5));
    state = async () => roomAt('e.2');
    await vi.advanceTimersByTimeAsync(48_000); // before the grant ends
    expect([loads, presented()]).toEqual([2, 'e.5']);
  });

  test('gives a room up when its server refuses it, and tries again when the server is away', async () => {
    await joined();
    state = () => Promise.reject(new Error('away'));
    await vi.advanceTimersByTimeAsync(48_000);
    expect([loads, ended]).toEqual([2, []]);
    state = async () => undefined;
    await vi.advanceTimersByTimeAsync(500);
    expect([loads, ended]).toEqual([3, ['board:9']]);
    expect(socket().sent.at(-1)).toEqual({ action: 'unsubscribe', project_id: 'board:9' });
  });

  test('[EV2.2] takes an event for an event although it is named like a message of the server', async () => {
    await joined();
    socket().says({ ...event(5), type: 'error' });
    expect([seen, FakeSocket.all.length]).toEqual([[5], 1]);
  });

  test('says when all that was missed has come, after a connection and after a room was joined', async () => {
    await joined();
    socket().says({ type: 'caught_up', data: { channels: ['all'] } });
    socket().says({ type: 'caught_up', data: { channels: [CHANNEL] } });
    expect([timesCaughtUp, loads]).toEqual([2, 1]);
  });

  test('says which channel without a state has lost events', () => {
    socket().says(CONNECTION);
    socket().says({
      type: 'resumed',
      data: { channels: { all: { recovered: false, cursor: 'e.3' } } },
    });
    expect(gaps).toEqual(['all']);
  });

  test('comes back at once when the browser says that the network is there', async () => {
    await joined();
    for (let cuts = 0; cuts < 8; cuts += 1) await cut();
    const attempts = FakeSocket.all.length;
    socket().onclose?.({ code: 1006, reason: '' });
    isOnline();
    await vi.advanceTimersByTimeAsync(0);
    expect(FakeSocket.all).toHaveLength(attempts + 1);
  });

  test('waits as long as a node that is drained says', async () => {
    await joined();
    socket().onclose?.({ code: 1012, reason: '700' });
    await vi.advanceTimersByTimeAsync(699);
    expect(FakeSocket.all).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(FakeSocket.all).toHaveLength(2);
  });

  test('gives a silent connection up, and does not come back after a final close', async () => {
    await joined();
    await vi.advanceTimersByTimeAsync(71_000);
    expect(FakeSocket.all).toHaveLength(2);
    socket().onclose?.({ code: 4003, reason: '' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.all).toHaveLength(2);
  });
});
