import type { EnginePacket } from './binary-packets.ts';

/** The packet type CONNECT of the Socket.IO protocol. */
const CONNECT = '0';

export function isConnect({ type, data }: EnginePacket): boolean {
  return type === 'message' && typeof data === 'string' && data.startsWith(CONNECT);
}

/** The namespace that a CONNECT packet names, without the query that old clients add to it. */
export function namespaceOf({ data }: EnginePacket): string {
  const [, namespace = '/'] = /^0(\/[^,?]*)/.exec(String(data)) ?? [];
  return namespace;
}
