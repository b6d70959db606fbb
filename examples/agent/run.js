// The client of an agent's run, for the page and for tests.
import { ask } from '../lib/ask.js';
import { RoomClient } from '../lib/room-client.js';

/**
 * Follows a run from its beginning, whenever it comes.
 * @param options.onChange gets `{ text, isFinished }` after each change
 */
export function followRun({ run, user, server, onChange = () => {} }) {
  const room = `run:${run}`;
  const state = { text: '', isFinished: false };

  /** The text only grows: of two states the longer one is newer. */
  function put({ text, isFinished }) {
    if (text.length >= state.text.length) state.text = text;
    state.isFinished ||= isFinished;
    onChange(state);
  }

  async function load() {
    const answer = await ask({ server, user }, `/runs/${run}`);
    if (answer !== undefined) put(answer);
    return answer;
  }

  const client = new RoomClient({
    getToken: () => ask({ server, user }, '/token'),
    onEvent({ type, data }) {
      if (type === 'run.finished') put({ text: data.text, isFinished: true });
      if (type === 'live.dropped') void client.reload(room); // this client has read too slowly
      if (type !== 'run.token' || data.at < state.text.length) return;
      if (data.at === state.text.length) put({ ...state, text: state.text + data.token });
      else void client.reload(room); // tokens are missing, which nobody repeats
    },
    // Tokens that came while this client was away are in the state, and nowhere else.
    onCaughtUp: () => state.isFinished || client.reload(room),
  });
  void client.join(room, load);

  return { state, close: () => client.close() };
}
