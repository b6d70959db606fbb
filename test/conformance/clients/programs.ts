import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Inbox, wsUrl } from '@leque/lab';
import { SupervisedProcess, TEST_API_KEY } from '@leque/testkit';
import type { ForeignClient, Place, Received } from './foreign-client.ts';

const CACHE = join(import.meta.dirname, '../../../node_modules/.cache');
const PYTHON = join(CACHE, 'python-clients');
const COMPILED = join(CACHE, 'foreign-clients');
const PATH = '/ws/notifications';

interface Program {
  readonly name: string;
  readonly also?: readonly string[];
  readonly concurrentHandlers?: boolean;
  /** The file or folder that `npm test` has made for it, if it could. */
  readonly made: string;
  readonly env?: Readonly<Record<string, string>>;
  command(place: Place): readonly string[];
}

const ALL: readonly Program[] = [
  ...['4', '5'].flatMap((version) =>
    ['websocket', 'polling'].map((transport) => pythonSocketIo(version, transport)),
  ),
  {
    name: 'websockets 17 (Python)',
    made: join(PYTHON, 'websockets'),
    env: pythonPath('websockets'),
    command: ({ gateway, token }) => [
      'python3',
      script('websockets_client.py'),
      wsUrl(gateway, PATH),
      token,
    ],
  },
  {
    name: 'java.net.http',
    also: ['published', 'posted'],
    made: join(COMPILED, 'java', 'Client.class'),
    command: javaCommand,
  },
  compiled('coder/websocket (Go)', 'go'),
  compiled('tungstenite (Rust)', 'rust'),
];

/** Clients in other languages, each a program that prints a line for each message. */
export const PROGRAMS: readonly ForeignClient[] = ALL.map(foreign);

function pythonSocketIo(version: string, transport: string): Program {
  return {
    name: `python-socketio ${version} over ${transport}`,
    also: ['root', 'connections.count'],
    concurrentHandlers: true,
    made: join(PYTHON, version),
    env: pythonPath(version),
    command: ({ gateway, token }) => {
      return ['python3', script('socketio_client.py'), version, gateway, token, transport];
    },
  };
}

function compiled(name: string, language: string): Program {
  const made = join(COMPILED, language, 'client');
  return { name, made, command: ({ gateway, token }) => [made, wsUrl(gateway, PATH), token] };
}

function javaCommand({ gateway, publisher, user, token }: Place): readonly string[] {
  const event = JSON.stringify({ type: 'posted', data: {}, user_id: user });
  const quick = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto'];
  const where = ['-cp', join(COMPILED, 'java'), 'Client', wsUrl(gateway, PATH)];
  return ['java', ...quick, ...where, token, publisher, event, TEST_API_KEY];
}

function foreign({ made, env, command, ...program }: Program): ForeignClient {
  return {
    also: [],
    concurrentHandlers: false,
    ...program,
    answer: 'pong',
    missing: existsSync(made) ? undefined : 'it could not be installed or built',
    start(place) {
      const inbox = new Inbox<Received>();
      const child = new SupervisedProcess(command(place), {
        env: { ...process.env, ...env },
        onLine: (line) => inbox.put(JSON.parse(line)),
      });
      return { inbox, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
    },
  };
}

function pythonPath(folder: string): Readonly<Record<string, string>> {
  return { PYTHONPATH: join(PYTHON, folder), PYTHONDONTWRITEBYTECODE: '1' };
}

function script(name: string): string {
  return join(import.meta.dirname, 'python', name);
}
