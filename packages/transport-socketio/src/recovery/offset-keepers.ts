import type { IncomingHttpHeaders } from 'node:http';

/** The information that a client has sent before it joins. */
export interface ClientHandshake {
  /** The path and query of the request that began the connection. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly auth: Readonly<Record<string, unknown>>;
}

/**
 * Matches the query of the official JavaScript client. The queries of clients of Engine.IO 4, observed
 * with socket.io-client 3.1 to 4.8, python-socketio 5 and Java's client 2.1, and read in the sources
 * of the clients for Dart and Swift, are:
 *
 *     JavaScript   EIO=4&transport=polling&t=Q8jrKVZ&b64=1    engine.io-client before 6.6; `b64` on Node
 *                  EIO=4&transport=polling&t=n0grz5r6         newer: 5 characters of the time, 3 random
 *                  EIO=4&transport=websocket                  on Node with the headers of `ws`
 *     Dart         EIO=4&transport=polling&t=mj8k2f0a         the whole time, base 36
 *                  EIO=4&transport=websocket                  `cache-control: no-cache`; `Dart/3 (dart:io)`
 *     Java         EIO=4&transport=websocket                  `okhttp/3`; own parameters in between
 *     Python       transport=polling&EIO=4&t=1796065293.54
 *     Swift        transport=polling&b64=1&EIO=4
 *     C++          EIO=4&transport=websocket&t=1796065293
 *
 * In a page that begins with a WebSocket, the clients for JavaScript and Dart send the same handshake, so
 * neither is recognised.
 */
const OFFICIAL_QUERY = /[?&]EIO=4&transport=(polling|websocket)(?:&t=([\w.-]+))?(?:&b64=1)?$/;
const OLDER_TIMESTAMP = /^[\w-]{7}(\.[\w-]+)?$/;
const NEWER_TIMESTAMP = /^[0-9a-z]{6,8}$/;
/** The largest assumed clock difference; about 1 in 2,000 timestamps of the newer form is within it. */
const CLOCKS_MS = 7 * 24 * 3_600_000;
/** User agent of the official client's own XMLHttpRequest on Node. */
const OFFICIAL_XHR = 'node-XMLHttpRequest';
const DART = /^dart\b/i;
/** The extension offer that `ws` sends. */
const WS_EXTENSIONS = 'permessage-deflate; client_max_window_bits';

/**
 * Whether the client takes the last argument of an event as its offset, so that handlers accept one more
 * argument. The official JavaScript client does, and any client with `auth.recovery` true. A client that
 * is not recognised loses only its recovery.
 */
export function keepsOffsets({ url, headers, auth }: ClientHandshake, now: number): boolean {
  const wish = String(auth['recovery']);
  if (wish === 'true' || wish === 'false') return wish === 'true';
  // Only a client that keeps offsets has been given a `pid`.
  if (auth['pid'] !== undefined) return true;
  const agent = headers['user-agent'] ?? '';
  const [, transport, timestamp] = OFFICIAL_QUERY.exec(url) ?? [];
  if (transport === undefined || DART.test(agent)) return false;
  if (agent === OFFICIAL_XHR) return true;
  if (timestamp !== undefined) return isOfficialTimestamp(timestamp, now);
  return transport === 'websocket' && isWs(headers);
}

function isOfficialTimestamp(text: string, now: number): boolean {
  if (OLDER_TIMESTAMP.test(text)) return true;
  return NEWER_TIMESTAMP.test(text) && Math.abs(Number.parseInt(text, 36) - now) > CLOCKS_MS;
}

/** Whether the headers are those of `ws`, which the official client uses on Node. */
function isWs(headers: IncomingHttpHeaders): boolean {
  return (
    headers['user-agent'] === undefined &&
    headers['cache-control'] === undefined &&
    headers['sec-websocket-extensions'] === WS_EXTENSIONS
  );
}
