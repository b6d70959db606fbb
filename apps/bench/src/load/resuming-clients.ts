import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { hs256, inSeconds } from '@leque/lab';
import { WebSocket } from 'ws';

/**
 * A process whose clients resume one project from its beginning, round after round: `round` starts one, and
 * an event `round` of its output has the result. At its start it prints `ready`, after it has noted the
 * position before the first event.
 */

interface RoundResult {
  seconds: number;
  bytes: number;
  lost: number;
  duplicates: number;
  reordered: number;
  closed: number;
}

const [address = '', project = '', clients = '', events = ''] = process.argv.slice(2);
const CHANNEL = `project:${project}`;
const LIFETIME_S = 86_400;
const CONNECT_MS = 30_000;
/** The number stands at the beginning of each event. */
const HEAD = 512;
const NUMBER = /"n":(\d+)/;
const CAUGHT_UP = '"type":"caught_up"';

const cursor = await firstCursor();
print({ event: 'ready' });
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'quit') break;
  print({ event: 'round', ...(await round()) });
}
process.exit(0);

function connect(user: number): WebSocket {
  const token = hs256({ sub: `back-${user}`, projects: [project], exp: inSeconds(LIFETIME_S) });
  const socket = new WebSocket(`ws://${address}/ws/notifications?resume=1`, {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
  });
  return socket.on('error', () => {}); // `close` follows
}

async function firstCursor(): Promise<string> {
  const socket = connect(0);
  const [text] = await once(socket, 'message', { signal: AbortSignal.timeout(CONNECT_MS) });
  socket.terminate();
  return JSON.parse(String(text)).data.cursors[CHANNEL];
}

async function round(): Promise<RoundResult> {
  const result = { seconds: 0, bytes: 0, lost: 0, duplicates: 0, reordered: 0, closed: 0 };
  const sockets = Array.from({ length: Number(clients) }, (_, user) => connect(user));
  const signal = AbortSignal.timeout(CONNECT_MS);
  await Promise.all(sockets.map((socket) => once(socket, 'open', { signal })));
  const startedAt = performance.now();
  await Promise.all(sockets.map((socket) => resume(socket, result)));
  result.seconds = (performance.now() - startedAt) / 1000;
  for (const socket of sockets) socket.terminate();
  return result;
}

/** Resolves once the client has caught up, or was closed. */
function resume(socket: WebSocket, result: RoundResult): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const seen = new Set<number>();
  let last = 0;
  const end = (closed: number) => {
    socket.removeAllListeners('message').removeAllListeners('close');
    result.lost += Number(events) - seen.size;
    result.closed += closed;
    resolve();
  };
  socket.on('message', (message: Buffer) => {
    result.bytes += message.length;
    const head = message.toString('latin1', 0, HEAD);
    const n = Number(NUMBER.exec(head)?.[1] ?? 0);
    if (n === 0) return head.includes(CAUGHT_UP) ? end(0) : undefined;
    if (seen.has(n)) result.duplicates += 1;
    else if (n < last) result.reordered += 1;
    seen.add(n);
    last = n;
  });
  socket.once('close', () => end(1));
  socket.send(JSON.stringify({ action: 'resume', cursors: { [CHANNEL]: cursor } }));
  return promise;
}

function print(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
