import { type EngineSocket, engineOf, webSocketOf } from './private-fields.ts';

/** Ends a connection at once, whatever its client does: nothing more is read from it. */
export function cutConnection(conn: EngineSocket): void {
  const socket = webSocketOf(engineOf(conn))?._socket;
  conn.close(true);
  socket?.destroy();
}
