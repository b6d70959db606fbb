import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { GatewayUnderTest } from './gateway.ts';

/** The response that refuses an upgrade; undefined when it is accepted. */
export async function refusalOf(
  gateway: Pick<GatewayUnderTest, 'url'>,
  path: string,
  headers: Record<string, string> = {},
): Promise<IncomingMessage | undefined> {
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}${path}`, { headers });
  socket.on('error', () => {}); // `ws` reports the refusal a second time
  const opened = once(socket, 'open').then(() => undefined);
  const refused = once(socket, 'unexpected-response').then(([, response]) => response);
  try {
    return await Promise.race([opened, refused]);
  } finally {
    socket.terminate();
  }
}
