/** A packet as Engine.IO delivers it. */
export interface EnginePacket {
  readonly type: string;
  readonly data?: string | Buffer;
}

/** The packet types BINARY_EVENT and BINARY_ACK of the Socket.IO protocol. */
const BINARY_PACKET = /^[56]/;

/**
 * Whether a packet is binary, or is the text before an attachment. Such a text can refer to the
 * attachment a thousand times: echoed, 100 KB would become a gigabyte (MEM).
 */
export function isBinary({ type, data }: EnginePacket): boolean {
  return type === 'message' && (typeof data !== 'string' || BINARY_PACKET.test(data));
}

/** Whether a packet should have a packet of Socket.IO in it, and has none. */
export function isEmpty({ type, data }: EnginePacket): boolean {
  return type === 'message' && (data === undefined || data.length === 0);
}
