// What the server of an application asks of Leque: tokens for its users, grants for its rooms, and
// events. docs/tokens.md and docs/rooms.md explain it.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';

const { LEQUE_URL = 'http://localhost:9001', PUBLISH_API_KEY } = process.env;
const JWT_SECRET = process.env.JWT_SECRET ?? secretOfNpmStart();
const DEADLINE_MS = 5000;

/** Where pages connect. In production that is your load balancer, and not the publisher. */
export const GATEWAY_URL = process.env.GATEWAY_URL ?? LEQUE_URL;

/** A token says who a client is. It names no rooms, because those come with grants. */
export function tokenFor(user, seconds = 900) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + seconds;
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: user, exp })}`;
  return `${text}.${createHmac('sha256', JWT_SECRET).update(text).digest('base64url')}`;
}

/**
 * Lets a user hear a room. Ask for it first and read the state of the room afterwards: then what
 * happens between the two comes twice, and never not at all.
 * @returns `{ grant, cursor, expires_at }`
 */
export async function grantFor(user, room, seconds) {
  const { grants } = await post('/api/grants', { user_id: user, projects: [room], ttl: seconds });
  const [{ grant, cursor, expires_at }] = grants;
  return { grant, cursor, expires_at };
}

/**
 * Stores and sends an event; with `live: true` it is sent and not stored.
 * @throws Error where that is not certain: publish again, with the same `idempotency_key`
 */
export async function publish(event) {
  const answer = await post('/api/publish', event);
  // An event for several users or rooms has a result for each.
  const failed = answer.results?.find(({ problem }) => problem !== undefined);
  if (failed !== undefined) throw new Error(`${failed.channel}: ${failed.problem.detail}`);
  return answer;
}

async function post(path, body) {
  const headers = { 'content-type': 'application/json' };
  if (PUBLISH_API_KEY !== undefined) headers['x-api-key'] = PUBLISH_API_KEY;
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const request = { method: 'POST', headers, body: JSON.stringify(body), signal };
  const response = await fetch(LEQUE_URL + path, request);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return await response.json();
}

/** `npm start` keeps the secret of this machine in a file. */
function secretOfNpmStart() {
  try {
    return readFileSync(new URL('../../.leque/dev-secret', import.meta.url), 'utf8').trim();
  } catch (cause) {
    throw new Error('run `npm start` first, or set JWT_SECRET to that of your Leque', { cause });
  }
}
