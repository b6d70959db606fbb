import { io, type Socket } from 'socket.io-client';
import { expect } from 'vitest';
import { type GatewayUnderTest, tokenFor } from './gateway.ts';

export interface Client extends Disposable {
  readonly socket: Socket;
  /** The client's `recovered` flag for each connection. */
  readonly recoveries: boolean[];
  readonly ids: (string | undefined)[];
  /** Each received event as `NAME NUMBER`. */
  readonly seen: string[];
  readonly said: string[];
}

export async function connect(gateway: GatewayUnderTest, options: object = {}): Promise<Client> {
  const socket = io(`${gateway.url}/events`, {
    auth: { token: await tokenFor('ana', { projects: ['P', 'Q'] }) },
    transports: ['websocket'],
    forceNew: true,
    reconnectionDelay: 10,
    reconnectionDelayMax: 20,
    ...options,
  });
  const recoveries: boolean[] = [];
  const ids: (string | undefined)[] = [];
  const seen: string[] = [];
  const said: string[] = [];
  socket.on('connect', () => {
    recoveries.push(socket.recovered);
    ids.push(socket.id);
  });
  socket.onAny((name, payload) => {
    if (payload.message_id === undefined) said.push(name);
    else seen.push(`${name} ${payload.data.n}`);
  });
  await expect.poll(() => said).toContain('connections.count');
  return { socket, recoveries, ids, seen, said, [Symbol.dispose]: () => void socket.disconnect() };
}

/** Closes the connection as a network failure does, and runs `meanwhile`. The client stays away. */
export async function cutFor({ socket }: Client, meanwhile: () => Promise<unknown>): Promise<void> {
  socket.io.reconnection(false);
  const gone = new Promise((resolve) => socket.once('disconnect', resolve));
  socket.io.engine.close();
  await gone;
  await meanwhile();
}

/** Cuts the connection, runs `meanwhile`, and waits until the client has reconnected. */
export async function cut(client: Client, meanwhile: () => Promise<unknown>): Promise<void> {
  const { length } = client.recoveries;
  await cutFor(client, meanwhile);
  client.socket.io.reconnection(true);
  client.socket.connect();
  await expect.poll(() => client.recoveries.length).toBe(length + 1);
}

export function publisher(gateway: GatewayUnderTest) {
  let n = 0;
  const next = () => {
    n += 1;
    return { n };
  };
  return {
    project: (id: string) => gateway.publish({ type: 'moved', data: next(), project_id: id }),
    user: () => gateway.publish({ type: 'told', data: next(), user_id: 'ana' }),
    task: () => gateway.publish({ type: 'task.custom', data: next(), user_id: 'ana' }),
  };
}

export const subscribe = (client: Client, id: string) =>
  client.socket.timeout(2000).emitWithAck('subscribe.project', { project_id: id });
