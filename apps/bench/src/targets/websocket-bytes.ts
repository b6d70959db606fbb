const TEXT = 0x81;
const BINARY = 0x82;
const PING = 0x89;
const MASKED = 0x80;
const LONGEST_SHORT = 125;
const LONGEST_MEDIUM = 0xffff;
const LENGTH_FOLLOWS = 126;
/** A mask of zeros leaves the payload as it is; servers unmask it all the same. */
const MASK = Buffer.alloc(4);
const KEY = Buffer.alloc(16, 'bench').toString('base64');

/** The HTTP request that begins a WebSocket at `path`; headers by name. */
export function upgradeRequest(
  address: string,
  path: string,
  headers: Readonly<Record<string, string>>,
): Buffer {
  const all = {
    Host: address,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': KEY,
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`);
}

/** A text frame as clients send it, masked. */
export function textFrame(text: string): Buffer {
  return maskedFrame(TEXT, Buffer.from(text));
}

/** A binary frame as clients send it, masked. */
export function binaryFrame(bytes: Buffer): Buffer {
  return maskedFrame(BINARY, bytes);
}

/** A ping, which every server answers with a pong that repeats the text. */
export function pingFrame(text: string): Buffer {
  return maskedFrame(PING, Buffer.from(text));
}

function maskedFrame(first: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([first]), length(payload.length), MASK, payload]);
}

function length(bytes: number): Buffer {
  if (bytes <= LONGEST_SHORT) return Buffer.from([MASKED | bytes]);
  if (bytes > LONGEST_MEDIUM) throw new RangeError(`a client frame of ${bytes} bytes`);
  return Buffer.from([MASKED | LENGTH_FOLLOWS, bytes >> 8, bytes & 0xff]);
}
