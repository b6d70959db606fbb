import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';

const TIMEOUT_MS = 5000;

/** A RESP reply; an error is a value, too. */
export type Reply = string | number | null | Error | Reply[];

/**
 * Writes a command to a socket and reads the reply, as a service in any language can: it knows nothing
 * of Leque, and uses no library.
 */
export async function command(url: string, ...args: (string | Buffer)[]): Promise<Reply> {
  const { hostname, port, username, password } = new URL(url);
  await using stack = new AsyncDisposableStack();
  const socket = connect(Number(port || 6379), hostname);
  stack.defer(() => void socket.destroy());
  socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no reply')));
  const login = username === '' ? [] : [['AUTH', username, password]];
  socket.write(Buffer.concat([...login, args].map(encode)));
  let received = Buffer.alloc(0);
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk as Buffer]);
    const first = parse(received, 0);
    const last = login.length === 0 ? first : first && parse(received, first.next);
    if (last !== undefined) return last.reply;
  }
  throw new Error('the connection closed before the reply');
}

/** Publishes to Leque the way such a service does. */
export function foreignService(url: string, prefix: string) {
  const key = (channel: string) => `${prefix}{${channel}}`;
  return {
    key,
    fcall: (channel: string, json: string | Buffer, ...rest: string[]) =>
      command(url, 'FCALL', 'leque_publish', '1', key(channel), json, ...rest),
    publish: (channel: string, payload: string | Buffer) =>
      command(url, 'PUBLISH', key(channel), payload),
    storedKeys: async () => (await command(url, 'KEYS', `${prefix}*`)) as Reply[],
  };
}

/** Runs a command by redis-cli; undefined where that is not installed. */
export async function redisCli(url: string, ...args: string[]): Promise<string | undefined> {
  const child = spawn('redis-cli', ['-u', url, '--raw', ...args], { timeout: TIMEOUT_MS });
  const exited = once(child, 'close').catch(() => undefined); // not installed
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  return (await exited) === undefined ? undefined : output.trim();
}

function encode(args: readonly (string | Buffer)[]): Buffer {
  const parts = args.map((arg) => Buffer.from(arg as string));
  const bulks = parts.flatMap((part) => [`$${part.length}\r\n`, part, '\r\n']);
  return Buffer.concat(
    [`*${args.length}\r\n`, ...bulks].map((part) => Buffer.from(part as string)),
  );
}

function parse(bytes: Buffer, from: number): { reply: Reply; next: number } | undefined {
  const end = bytes.indexOf('\r\n', from);
  if (end < 0) return undefined;
  const line = bytes.toString('utf8', from + 1, end);
  const next = end + 2;
  switch (String.fromCharCode(bytes[from] ?? 0)) {
    case '+':
      return { reply: line, next };
    case '-':
      return { reply: new Error(line), next };
    case ':':
      return { reply: Number(line), next };
    case '$':
      return parseBulk(bytes, next, Number(line));
    default:
      return parseArray(bytes, next, Number(line));
  }
}

function parseBulk(bytes: Buffer, from: number, length: number) {
  if (length < 0) return { reply: null, next: from };
  const next = from + length + 2;
  return next > bytes.length
    ? undefined
    : { reply: bytes.toString('utf8', from, from + length), next };
}

function parseArray(bytes: Buffer, from: number, length: number) {
  const reply: Reply[] = [];
  let next = from;
  for (let index = 0; index < length; index += 1) {
    const item = parse(bytes, next);
    if (item === undefined) return undefined;
    reply.push(item.reply);
    next = item.next;
  }
  return { reply, next };
}
