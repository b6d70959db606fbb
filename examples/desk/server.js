// A support desk. A message goes to the people of its conversation: `user_ids` sends one body to many
// users, and each of them has it in all tabs. Who is typing is sent live, and kept nowhere.
import { publish } from '../lib/leque-api.js';
import { Refusal, serve } from '../lib/serve.js';

// A real application has a database; the order of the steps stays the same.
const people = new Set(['ana', 'ben', 'carl']);
const conversations = new Map([['7', { people, messages: [] }]]);

function conversationOf(id, user) {
  const conversation = conversations.get(id);
  if (!conversation?.people.has(user))
    throw new Refusal(403, `conversation ${id} is not for ${user}`);
  return conversation;
}

serve('/desk/page.html', {
  'GET /conversations/:id': ({ user, params }) => {
    return { messages: conversationOf(params.id, user).messages };
  },

  'POST /conversations/:id/messages': async ({ user, params, body }) => {
    const { people, messages } = conversationOf(params.id, user);
    const message = { id: messages.length + 1, from: user, text: body.text };
    messages.push(message);
    await publish({
      type: 'message.created',
      user_ids: [...people], // as they are now: who has left does not hear it
      data: { conversation: params.id, message },
      idempotency_key: `${params.id}:${message.id}`,
    });
    return { message };
  },

  'POST /conversations/:id/typing': async ({ user, params }) => {
    const { people } = conversationOf(params.id, user);
    const others = [...people].filter((each) => each !== user);
    const data = { conversation: params.id, user };
    if (others.length > 0) await publish({ type: 'typing', live: true, user_ids: others, data });
  },

  'DELETE /conversations/:id/people/:person': ({ user, params }) => {
    conversationOf(params.id, user).people.delete(params.person);
  },
});
