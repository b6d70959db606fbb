import { bomb, clientFrame } from '@leque/testkit';

/** One kind of input that a client may send without an end. */
export interface Flood {
  readonly name: string;
  /** The path of the upgrade; undefined for HTTP polling. */
  readonly path: string | undefined;
  /** Whether the connection presents a token, and joins the namespace where there is one. */
  readonly token: boolean;
  readonly compressed?: boolean;
  /** The bytes that are sent again and again: frames, or the body of a request. */
  readonly payload: Buffer;
}

const SOCKET_IO = '/socket.io/?EIO=4&transport=websocket';
const NOTIFICATIONS = '/ws/notifications';
/** How many bytes are sent at a time. */
const CHUNK_BYTES = 65_536;
const MAX_BODY_BYTES = 60_000;
const BINARY = 2;
const PING = 9;
const PONG = 10;

const PACKETS = {
  'CONNECT to /': '40',
  'CONNECT to /x': '40/x,',
  'CONNECT with a bad token': '40/events,{"token":"bad"}',
  'engine pong': '3',
  'engine noop': '6',
  acknowledgement: '43/events,1[1]',
  event: '42/events,["ping"]',
} as const;

/** Every kind of input, over raw WebSocket, Socket.IO and polling, without a token and with one. */
export const FLOODS: readonly Flood[] = [
  ...[false, true].flatMap((token) => socketIoFloods(token)),
  ...rawFloods(),
];

function socketIoFloods(token: boolean): Flood[] {
  const suffix = token ? ', joined' : '';
  const overWebSocket = (name: string, frame: Buffer): Flood => ({
    name: `${name}${suffix}`,
    path: SOCKET_IO,
    token,
    payload: repeated(frame),
  });
  return [
    ...Object.entries(PACKETS).map(([name, packet]) => overWebSocket(name, clientFrame(packet))),
    overWebSocket('empty packet', clientFrame('')),
    overWebSocket('binary frame', clientFrame('x', { opcode: BINARY })),
    overWebSocket('ping frame', clientFrame('x', { opcode: PING })),
    overWebSocket('pong frame', clientFrame('', { opcode: PONG })),
    ...(['CONNECT to /', 'engine pong', 'event'] as const).map((name) => ({
      name: `polling, ${name}${suffix}`,
      path: undefined,
      token,
      payload: bodyOf(PACKETS[name]),
    })),
  ];
}

function rawFloods(): Flood[] {
  const raw = (name: string, frame: Buffer, compressed = false): Flood => {
    return {
      name: `raw, ${name}`,
      path: NOTIFICATIONS,
      token: true,
      compressed,
      payload: repeated(frame),
    };
  };
  return [
    raw('text', clientFrame('ping')),
    raw('empty text', clientFrame('')),
    raw('binary', clientFrame('x', { opcode: BINARY })),
    raw('ping', clientFrame('x', { opcode: PING })),
    raw('pong', clientFrame('', { opcode: PONG })),
    raw('message of 60 KB', clientFrame('x'.repeat(60_000))),
    raw('message that inflates to 60 KB', bomb(60_000), true),
  ];
}

function repeated(frame: Buffer): Buffer {
  return Buffer.concat(Array<Buffer>(Math.ceil(CHUNK_BYTES / frame.length)).fill(frame));
}

function bodyOf(packet: string): Buffer {
  const count = Math.floor(MAX_BODY_BYTES / (packet.length + 1));
  return Buffer.from(Array<string>(count).fill(packet).join('\x1e'));
}
