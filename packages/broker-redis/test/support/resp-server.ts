import { createServer, type Server, type Socket } from 'node:net';
import RedisParser from 'redis-parser';

/** Answers a command with a reply in RESP; undefined for the reply of an ordinary server. */
export type Answer = (words: readonly string[]) => string | undefined;

/** A server that speaks RESP, and answers as its test wants. */
export interface RespServer extends AsyncDisposable {
  readonly url: string;
}

/** Starts a server that claims to be an ordinary Redis, apart from the answers of `answer`. */
export async function startRespServer(answer: Answer): Promise<RespServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
    const parser = new RedisParser({
      returnReply(words: string[]) {
        socket.write(answer(words) ?? ordinaryReply(words));
      },
      returnError: () => socket.destroy(),
    });
    socket.on('data', (data) => parser.execute(data));
  });
  const port = await listen(server);
  return {
    url: `redis://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const INFO = 'redis_version:7.4.0\r\nrole:master\r\nrun_id:0123456789abcdef\r\n';

function ordinaryReply([name = '']: readonly string[]): string {
  const replies: Readonly<Record<string, string>> = {
    INFO: bulk(INFO),
    PING: '+PONG\r\n',
    FUNCTION: '*0\r\n',
  };
  return replies[name.toUpperCase()] ?? '+OK\r\n';
}

export function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}
