const DEADLINE_MS = 5000;

/**
 * Asks the server of the application.
 * @param me `{ server, user }`
 * @returns the answer; undefined where the user may not see it
 * @throws Error when there is none now
 */
export async function ask({ server, user }, path, { method = 'GET', body } = {}) {
  const headers = { 'x-user': user, 'content-type': 'application/json' };
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const request = { method, headers, signal, body: body && JSON.stringify(body) };
  const response = await fetch(server + path, request);
  if (response.status === 403) return undefined;
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return await response.json();
}
