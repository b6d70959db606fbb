// Run by `helm test`: both services are ready, and an event that is published reaches a client.
import { createHmac, randomUUID } from 'node:crypto';

const { GATEWAY_URL, PUBLISHER_URL, JWT_SECRET, JWT_ISSUER, JWT_AUDIENCE, AUTH_MODE } = process.env;
const PROJECT = 'helm-test';
const DEADLINE_MS = 60_000;
const RETRY_MS = 1000;

setTimeout(() => fail(`not done after ${DEADLINE_MS / 1000} s`), DEADLINE_MS).unref();
try {
  await ready(GATEWAY_URL);
  await ready(PUBLISHER_URL);
  if (JWT_SECRET || AUTH_MODE === 'open') await publishAndReceive(JWT_SECRET && token());
  else say('No JWT_SECRET to sign a token with: that publishing works was not tried.');
} catch (error) {
  fail(error.message);
}

async function ready(url) {
  let last = '';
  for (;;) {
    try {
      const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(5000) });
      if (response.ok) return say(`${url} is ready.`);
      last = await response.text();
    } catch (error) {
      last = error.cause?.message ?? error.message;
    }
    say(`${url} is not ready: ${last}`);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function publishAndReceive(jwt) {
  const id = randomUUID();
  const query = jwt ? `?token=${jwt}` : '';
  const socket = new WebSocket(
    `${GATEWAY_URL.replace(/^http/, 'ws')}/ws/project/${PROJECT}${query}`,
  );
  await new Promise((resolve, reject) => {
    socket.onerror = ({ message }) => reject(new Error(`the WebSocket failed: ${message}`));
    socket.onclose = ({ code, reason }) => reject(new Error(`closed with ${code} ${reason}`));
    socket.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      if (event.type === 'connection') publish(id, jwt).catch(reject);
      if (event.message_id === id) resolve();
    };
  });
  socket.onclose = null;
  socket.close();
  say('A published event has reached a client.');
}

async function publish(id, jwt) {
  const event = { type: 'helm_test', project_id: PROJECT, message_id: id, data: {} };
  const response = await fetch(`${PUBLISHER_URL}/api/publish`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(jwt && { authorization: `Bearer ${jwt}` }) },
    body: JSON.stringify(event),
    signal: AbortSignal.timeout(5000),
  });
  if (!response.ok) throw new Error(`publishing: ${response.status} ${await response.text()}`);
}

function token() {
  const now = Math.floor(Date.now() / 1000);
  const rights = { sub: PROJECT, projects: [PROJECT], scope: 'publish', iat: now, exp: now + 300 };
  const checked = {
    ...(JWT_ISSUER && { iss: JWT_ISSUER }),
    ...(JWT_AUDIENCE && { aud: JWT_AUDIENCE }),
  };
  const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ ...rights, ...checked })}`;
  return `${signed}.${createHmac('sha256', JWT_SECRET).update(signed).digest('base64url')}`;
}

function say(line) {
  process.stdout.write(`${line}\n`);
}

function fail(reason) {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
}
