// The clients of the examples, which are plain JavaScript, with their types.
import { io } from 'socket.io-client';

interface Closable {
  close(): void;
}

export interface Card {
  readonly id: string;
  readonly column: string;
  readonly version: number;
}

export interface Board extends Closable {
  readonly cards: ReadonlyMap<string, Card>;
  move(card: string, column: string): Promise<void>;
}

export interface Desk extends Closable {
  messages(): readonly { readonly from: string; readonly text: string }[];
  readonly typing: { readonly names: readonly string[] };
  say(text: string): Promise<unknown>;
  type(): Promise<unknown>;
}

export interface Run extends Closable {
  readonly state: { readonly text: string; readonly isFinished: boolean };
}

interface Options {
  readonly server: string;
  readonly user: string;
}

interface BoardOptions extends Options {
  readonly onChange?: (cards: readonly Card[]) => void;
  readonly onClosed?: () => void;
}

type Ask = (
  me: Options,
  path: string,
  request?: { readonly method: string; readonly body?: object },
) => Promise<Record<string, unknown> | undefined>;

/** TypeScript does not see what it imports here, because the examples are no part of the workspace. */
async function load(file: string): Promise<Record<string, unknown>> {
  return await import(new URL(`../../examples/${file}`, import.meta.url).href);
}

const { ask: askServer } = await load('lib/ask.js');
const { openBoard: openIts } = await load('board/board.js');
const { openDesk: openThe } = await load('desk/desk.js');
const { followRun: followIts } = await load('agent/run.js');

export const ask = askServer as Ask;

export function openBoard(options: BoardOptions): Board & Disposable {
  return disposable((openIts as (options: object) => Board)({ id: '9', ...options }));
}

/** Its Socket.IO client has a connection of its own, and waits less than by default. */
export async function openDesk(options: Options): Promise<Desk & Disposable> {
  const connect = (url: string, its: object) =>
    io(url, { ...its, forceNew: true, reconnectionDelay: 100, reconnectionDelayMax: 500 });
  const open = openThe as (options: object) => Promise<Desk>;
  return disposable(await open({ id: '7', io: connect, ...options }));
}

export function followRun(options: Options & { readonly run: string }): Run & Disposable {
  return disposable((followIts as (options: object) => Run)(options));
}

function disposable<T extends Closable>(client: T): T & Disposable {
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}
