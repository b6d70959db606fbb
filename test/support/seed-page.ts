import { readFileSync } from 'node:fs';
import { type Context, createContext, runInContext } from 'node:vm';
import { CLIENTS, type ClientVersion, Inbox } from '@leque/lab';

const FIXTURES = new URL('../conformance/fixtures/', import.meta.url);

/** The unmodified text of an example in a seed document. */
export function seedText(name: string): string {
  return readFileSync(new URL(`${name}.txt`, FIXTURES), 'utf8');
}

/**
 * Runs the seeds' examples unmodified, as a page or a Node program would. Only their addresses are
 * redirected to the server under test.
 */
export class SeedPage implements AsyncDisposable {
  /** The arguments of each console call of the examples. */
  readonly console = new Inbox<readonly unknown[]>();
  readonly #context: Context;
  readonly #close: (() => void)[] = [];

  constructor(
    serverUrl: string,
    globals: Readonly<Record<string, unknown>> = {},
    client: ClientVersion = 'newest',
  ) {
    const say = (...words: unknown[]) => this.console.put(words);
    const close = this.#close;
    const elsewhere = (address: string) => {
      const { protocol, pathname, search } = new URL(address);
      return `${protocol}//${new URL(serverUrl).host}${pathname}${search}`;
    };
    class Redirected extends WebSocket {
      constructor(address: string) {
        super(elsewhere(address));
        close.push(() => this.close());
      }
    }
    this.#context = createContext({
      console: { log: say, error: say },
      JSON,
      setTimeout,
      clearTimeout,
      WebSocket: Redirected,
      io: (address: string, options: object) => {
        const socket = CLIENTS[client](elsewhere(address), { ...options, forceNew: true });
        close.push(() => socket.disconnect());
        return socket;
      },
      ...globals,
    });
  }

  /** Scripts share their declarations. Imports are removed, because their names are globals here. */
  run(source: string): unknown {
    return runInContext(source.replace(/^import .*$/gm, ''), this.#context);
  }

  /** Waits for a console call that begins with these arguments, and returns all of them. */
  async said(...words: readonly unknown[]): Promise<readonly unknown[]> {
    return this.console.first((line) => words.every((word, index) => line[index] === word));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#close) close();
  }
}
