// The client of a conversation, for the page and for tests. The official Socket.IO client reconnects
// and resumes by itself.
import { ask } from '../lib/ask.js';

const TYPING_MS = 4000;
const LONGEST_PAUSE_MS = 2000;

/** The people who are typing: each of them for some seconds after the last sign. */
class Typing {
  #timers = new Map();
  #onChange;

  constructor(onChange) {
    this.#onChange = onChange;
  }

  get names() {
    return [...this.#timers.keys()];
  }

  add(name) {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(
      name,
      setTimeout(() => this.remove(name), TYPING_MS),
    );
    this.#onChange();
  }

  remove(name) {
    clearTimeout(this.#timers.get(name));
    if (this.#timers.delete(name)) this.#onChange();
  }
}

/**
 * Opens a conversation and follows it.
 * @param options.io the function of socket.io-client
 * @param options.onChange gets `{ messages, typing }` after each change
 */
export async function openDesk({ io, id, user, server, onChange = () => {} }) {
  const me = { server, user };
  const path = `/conversations/${id}`;
  const messages = new Map();
  const inOrder = () => [...messages.values()].toSorted((a, b) => a.id - b.id);
  const changed = () => onChange({ messages: inOrder(), typing: typing.names });
  const typing = new Typing(changed);

  const { url } = await ask(me, '/token');
  // A token for each connection. With `recovery` a page that begins with a WebSocket resumes, too.
  const auth = (send) => {
    const answered = (answer) => send({ token: answer?.token, recovery: true });
    ask(me, '/token').then(answered, () => answered());
  };
  const socket = io(`${url}/events`, { transports: ['websocket'], auth });

  function put(message) {
    messages.set(message.id, message);
    typing.remove(message.from);
    changed();
  }

  /** The socket hears first, and the state comes after it: what comes twice has the same id. */
  async function load() {
    const answer = await ask(me, path).catch(() => undefined);
    answer?.messages.forEach(put);
  }

  socket.on('connected', () => socket.recovered || load()); // what was missed follows, or nothing
  socket.on('resync', load);
  socket.on('message.created', ({ data }) => data.conversation === id && put(data.message));
  socket.on('typing', ({ data }) => data.conversation === id && typing.add(data.user));

  // Where the server has refused or ended the connection, the client asks before it comes back.
  let timer;
  const comeBack = () => {
    if (socket.active) return; // it comes back by itself
    timer = setTimeout(() => socket.connect(), Math.random() * LONGEST_PAUSE_MS);
  };
  socket.on('connect_error', comeBack);
  socket.on('disconnect', (reason) => reason === 'io server disconnect' && comeBack());

  return {
    messages: inOrder,
    typing,
    say: (text) => ask(me, `${path}/messages`, { method: 'POST', body: { text } }),
    type: () => ask(me, `${path}/typing`, { method: 'POST' }),
    close() {
      clearTimeout(timer);
      for (const name of typing.names) typing.remove(name);
      socket.disconnect();
    },
  };
}
