import type { IncomingMessage } from 'node:http';

/** Sessions that are remembered; the one that was learnt first is forgotten first. */
const LIMIT = 10_000;
const HANDSHAKE_BYTES = 4096;
const SOCKETIO = /^\/socket\.io\/?(?:\?|$)/;
/** As it is in the URL: an id of Engine.IO needs no encoding. */
const ID_IN_URL = /[?&]sid=([^&]+)/;
const ID_IN_ANSWER = /"sid":"([^"]+)"/;

/** Remembers which server has opened which session of Engine.IO: it alone knows the session. */
export class StickySessions<T> {
  readonly #servers = new Map<string, T>();

  /** The server of the session in the URL; undefined for other requests. The URL lacks the base path. */
  find(url: string): T | undefined {
    const [, id] = SOCKETIO.test(url) ? (ID_IN_URL.exec(url) ?? []) : [];
    return id === undefined ? undefined : this.#servers.get(id);
  }

  /** Reads the id of a new session from the answer to its handshake. */
  learn(url: string, answer: IncomingMessage, server: T): void {
    if (!SOCKETIO.test(url) || ID_IN_URL.test(url)) return;
    let text = '';
    answer.on('data', (chunk: Buffer) => {
      if (text.length >= HANDSHAKE_BYTES) return;
      text += chunk.toString('latin1');
      const [, id] = ID_IN_ANSWER.exec(text) ?? [];
      if (id !== undefined) this.#remember(id, server);
    });
  }

  #remember(id: string, server: T): void {
    this.#servers.set(id, server);
    for (const oldest of this.#servers.keys()) {
      if (this.#servers.size <= LIMIT) return;
      this.#servers.delete(oldest);
    }
  }
}
