// A board with cards. Its room is the project `board:9`: who may hear it is decided when a user
// opens the board, and again each time that the grant is renewed.
import { grantFor, publish } from '../lib/leque-api.js';
import { Refusal, serve } from '../lib/serve.js';

/** A user who was thrown out hears nothing more after this time, whatever the client does. */
const GRANT_SECONDS = Number(process.env.GRANT_SECONDS ?? 300);

// A real application has a database; the order of the steps stays the same.
const boards = new Map([['9', { members: new Set(['ana', 'ben', 'eva']), cards: new Map() }]]);
for (const title of ['Write', 'Review', 'Publish']) {
  const card = { id: title.toLowerCase(), title, column: 'to do', version: 1 };
  boards.get('9').cards.set(card.id, card);
}

function boardOf(id, user) {
  const board = boards.get(id);
  if (!board?.members.has(user)) throw new Refusal(403, `${user} is no member of board ${id}`);
  return board;
}

serve('/board/page.html', {
  'GET /boards/:board': async ({ user, params }) => {
    const board = boardOf(params.board, user);
    // The cursor first, and the state after it.
    const right = await grantFor(user, `board:${params.board}`, GRANT_SECONDS);
    return { cards: [...board.cards.values()], ...right };
  },

  'PUT /boards/:board/cards/:card': async ({ user, params, body }) => {
    const { cards } = boardOf(params.board, user);
    const { version = 0, ...old } = cards.get(params.card) ?? { title: params.card };
    const card = { ...old, id: params.card, column: body.column, version: version + 1 };
    cards.set(card.id, card);
    await publish({
      type: 'card.changed',
      project_id: `board:${params.board}`,
      data: { card, origin: body.origin }, // the tab that already shows it
      idempotency_key: `${card.id}:${card.version}`, // so that a retry is safe
    });
    return { card };
  },

  'DELETE /boards/:board/members/:member': async ({ user, params }) => {
    boardOf(params.board, user).members.delete(params.member);
    const data = { board: params.board };
    await publish({ type: 'board.closed', user_id: params.member, data });
  },
});
