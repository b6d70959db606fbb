/** A packet as Engine.IO brings it. */
export interface EnginePacket {
  readonly type: string;
  readonly data?: string | Buffer;
}

/** BINARY_EVENT and BINARY_ACK of the Socket.IO protocol. */
const BINARY_PACKET = /^[56]/;

/**
 * Also the text before an attachment, which can refer to it a thousand times: echoed, 100 KB become
 * a gigabyte (MEM).
 */
export function isBinary({ type, data }: EnginePacket): boolean {
  return type === 'message' && (typeof data !== 'string' || BINARY_PACKET.test(data));
}
