import { type IncomingMessage, ServerResponse } from 'node:http';
import { type EngineServer, type EngineSocket, engineOf, webSocketOf } from './private-fields.ts';

const UPGRADE_LISTENER = 'onUpgradeError';
const RESPONSE_LISTENER = '() => this.emit("close")';

/**
 * Removes a listener that would keep the response which Engine.IO makes up for an upgrade, and the
 * request with it, for as long as the connection lives. It serves middleware that waits for the end
 * of a response; there is none here.
 */
export function forgetResponses(engine: EngineServer): void {
  engine.use((request: IncomingMessage, response: object, next: () => void) => {
    // It was added last, and just now.
    const listener = request.socket.listeners('close').at(-1);
    if (!(response instanceof ServerResponse) && String(listener) === RESPONSE_LISTENER) {
      request.socket.removeListener('close', listener as () => void);
    }
    next();
  });
}

/**
 * Frees the request that began the connection, which would be most of the memory of an idle one, as
 * Socket.IO's guide to performance tuning advises ("discard the initial HTTP request"). A listener
 * that Engine.IO leaves on a WebSocket from before its upgrade holds the request as well.
 */
export function forgetRequest(conn: EngineSocket): void {
  const engine = engineOf(conn);
  engine.request = undefined;
  const ws = webSocketOf(engine);
  for (const listener of ws?.listeners('error') ?? []) {
    if (listener.name === UPGRADE_LISTENER) ws?.removeListener('error', listener as () => void);
  }
}
