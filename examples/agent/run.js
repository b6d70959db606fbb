// The client of an agent's run, for the page and for tests.
import { ask } from '../lib/ask.js';
import { RoomClient } from '../lib/room-client.js';

/**
 * Follows a run from its beginning, whenever it comes.
 * @param options.onChange gets `{ text, isFinished }` after each change
 */
export function followRun({ run, user, server, onChange = () => {} }) {
  const me = { server, user };
  const state = { text: '', isFinished: false };
  const ahead = new Map(); // tokens by their place, until those before them are there
  let isRefreshing = false;

  /** The text only grows: of two states the longer one is newer. */
  function put({ text, isFinished }) {
    if (text.length > state.text.length) state.text = text;
    state.isFinished ||= isFinished;
    while (ahead.has(state.text.length)) state.text += ahead.get(state.text.length);
    for (const at of ahead.keys()) if (at < state.text.length) ahead.delete(at);
    onChange(state);
  }

  async function load() {
    const answer = await ask(me, `/runs/${run}`);
    if (answer !== undefined) put(answer);
    return answer;
  }

  /** Tokens that this client has not heard are in the state, and nowhere else. */
  const refresh = () => load().catch(() => undefined);

  async function hear({ at, token }) {
    ahead.set(at, token);
    put(state);
    if (ahead.size === 0 || isRefreshing) return;
    isRefreshing = true;
    await refresh();
    isRefreshing = false;
  }

  const client = new RoomClient({
    getToken: () => ask(me, '/token'),
    onEvent({ type, data }) {
      if (type === 'run.finished') put({ text: data.text, isFinished: true });
      if (type === 'run.token') void hear(data);
      if (type === 'live.dropped') void refresh(); // this client has read too slowly
    },
    // Now it hears each token. Those that came before are in the state.
    onCaughtUp: () => state.isFinished || void refresh(),
  });
  void client.join(`run:${run}`, load);

  return { state, close: () => client.close() };
}
