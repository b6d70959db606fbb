// The client of a board, for the page and for tests.
import { ask } from '../lib/ask.js';
import { RoomClient } from '../lib/room-client.js';

/**
 * Opens a board and follows it.
 * @param options.server URL of the board's server
 * @param options.onChange gets the cards after each change
 * @param options.onClosed is called when the user may not see the board any more
 */
export function openBoard({ id, user, server, onChange = () => {}, onClosed = () => {} }) {
  const tab = crypto.randomUUID(); // other tabs of the same user show the change, this one has it
  const room = `board:${id}`;
  const cards = new Map();

  /** The state may be newer than an event, and the other way round: the version decides. */
  function put(card) {
    if (card.version <= (cards.get(card.id)?.version ?? 0)) return;
    cards.set(card.id, card);
    onChange([...cards.values()]);
  }

  async function load() {
    const answer = await ask({ server, user }, `/boards/${id}`);
    for (const card of answer?.cards ?? []) put(card);
    return answer; // with the grant, the cursor and the end of the grant
  }

  const client = new RoomClient({
    getToken: () => ask({ server, user }, '/token'),
    onEvent({ type, data }) {
      if (type === 'card.changed' && data.origin !== tab) put(data.card);
      if (type === 'board.closed' && data.board === id) void client.reload(room); // and is refused
    },
    onEnded: onClosed,
  });
  void client.join(room, load);

  return {
    cards,
    async move(card, column) {
      const body = { column, origin: tab };
      const answer = await ask({ server, user }, `/boards/${id}/cards/${card}`, {
        method: 'PUT',
        body,
      });
      if (answer !== undefined) put(answer.card);
    },
    close: () => client.close(),
  };
}
