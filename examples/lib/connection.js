// One WebSocket to Leque that comes back by itself. It runs in browsers, and in Node from 22 on; Node 20
// needs `globalThis.WebSocket` from the package `ws`.
// docs/reconnecting.md has the rules that it follows.
const FINAL = [1003, 1007, 1008, 1009, 4003]; // coming back would end in the same way
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
const SILENCE_MS = 70_000; // two heartbeats, and some time more

export class Connection {
  #told;
  #socket;
  #timer; // for the end of a silence, or of a pause
  #failures = 0;
  #isReady = false; // from the first message of the server on
  #isClosed = false;
  /** The network is back, says the browser: an attempt need not wait any longer. */
  #online = () => this.#socket === undefined && this.#connect();

  /**
   * @param told.getToken resolves to `{ url, token }`, anew for each connection
   * @param told.onMessage gets each message of the server
   */
  constructor(told) {
    this.#told = told;
    globalThis.addEventListener?.('online', this.#online);
    void this.#connect();
  }

  /** Does nothing while there is no connection: what a client wants, it says again when it is back. */
  send(command) {
    if (this.#isReady) this.#socket.send(JSON.stringify(command));
  }

  /** The server has answered a command: this attempt was none of those that fail. */
  succeeded() {
    this.#failures = 0;
  }

  /** A random time, so that clients that were cut together do not come back together. */
  pause() {
    const bound = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
    this.#failures += 1;
    return Math.random() * bound;
  }

  /** Ends this connection, and makes another one after a pause. */
  restart() {
    this.#leave();
    this.#comeBack(this.pause());
  }

  close() {
    this.#isClosed = true;
    globalThis.removeEventListener?.('online', this.#online);
    this.#leave();
  }

  async #connect() {
    clearTimeout(this.#timer);
    try {
      const { url, token } = await this.#told.getToken();
      if (!this.#isClosed && this.#socket === undefined) this.#open(url, token);
    } catch {
      this.#comeBack(this.pause());
    }
  }

  #open(url, token) {
    // With `resume=1` nothing flows before the client has presented its cursors.
    const address = `${url.replace(/^http/, 'ws')}/ws/notifications?resume=1`;
    const socket = new WebSocket(address, ['leque', `bearer.${token}`]);
    this.#socket = socket;
    this.#heard();
    socket.onmessage = ({ data }) => {
      this.#heard();
      this.#isReady = true;
      this.#told.onMessage(JSON.parse(data));
    };
    socket.onclose = ({ code, reason }) => {
      this.#leave();
      const isHint = (code === 1001 || code === 1012) && /^\d+$/.test(reason);
      if (!FINAL.includes(code)) this.#comeBack(isHint ? Number(reason) : this.pause());
    };
    socket.onerror = () => {}; // `onclose` follows; the package `ws` throws without it
  }

  #heard() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.restart(), SILENCE_MS);
  }

  #comeBack(pauseMs) {
    clearTimeout(this.#timer);
    if (!this.#isClosed) this.#timer = setTimeout(() => this.#connect(), pauseMs);
  }

  /** A close of a dead connection would wait for the other side, so it is left to itself. */
  #leave() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    this.#isReady = false;
    if (socket === undefined) return;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }
}
