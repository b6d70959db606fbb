// An agent's run. Its tokens are sent live, because the next one makes the one before worthless; its
// result is stored. The server keeps the text so far, for those who come late or were away.
import { setTimeout as pause } from 'node:timers/promises';
import { grantFor, publish } from '../lib/leque-api.js';
import { Refusal, serve } from '../lib/serve.js';

const GRANT_SECONDS = 300;
const PAUSE_MS = 100;
const runs = new Map();

function runOf(id, user) {
  const run = runs.get(id);
  if (run?.user !== user) throw new Refusal(403, `no run ${id} of ${user}`);
  return run;
}

/** `at` says where a token belongs, so that a client notices when one is missing. */
async function say({ id, state }, token) {
  const at = state.text.length;
  state.text += token;
  await publish({ type: 'run.token', live: true, project_id: `run:${id}`, data: { at, token } });
}

async function finish({ id, state }) {
  state.isFinished = true;
  const data = { text: state.text };
  await publish({ type: 'run.finished', project_id: `run:${id}`, data, idempotency_key: id });
}

/** A stand-in for a model: it repeats the question word by word. */
async function answer(run, question) {
  for (const word of question.split(/(?<=\s)/)) {
    await say(run, word);
    await pause(PAUSE_MS);
  }
  await finish(run);
}

serve('/agent/page.html', {
  'POST /runs': ({ user, body }) => {
    const run = { id: crypto.randomUUID(), user, state: { text: '', isFinished: false } };
    runs.set(run.id, run);
    if (body.question) answer(run, body.question).catch((error) => console.error(error.message));
    return { run: run.id };
  },

  'GET /runs/:run': async ({ user, params }) => {
    const run = runOf(params.run, user);
    // The cursor first, and the state after it.
    const right = await grantFor(user, `run:${run.id}`, GRANT_SECONDS);
    return { ...run.state, ...right };
  },

  // An agent that runs elsewhere reports its tokens and its end here.
  'POST /runs/:run/tokens': ({ user, params, body }) => say(runOf(params.run, user), body.token),
  'POST /runs/:run/end': ({ user, params }) => finish(runOf(params.run, user)),
});
