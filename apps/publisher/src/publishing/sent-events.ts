import { isUtf8 } from 'node:buffer';
import { setImmediate } from 'node:timers/promises';
import { RequestError } from '@leque/service';
import type { FastifyInstance } from 'fastify';
import { ListScanner } from './list-scanner.ts';

export const MAX_BATCH_ITEMS = 1_000;

/** Characters that are scanned before other requests get their turn; about a millisecond. */
const SCAN_SLICE = 262_144;
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * The body of a request that publishes: the JSON text of one event, or of each event of a list, as
 * it was sent. Nothing is parsed yet, so that each text can be judged by its length first.
 */
export type SentEvents =
  | { readonly kind: 'event'; readonly text: string }
  | { readonly kind: 'list'; readonly texts: readonly string[] };

/** Makes the routes of `api` read their bodies as `SentEvents`. */
export function readSentEvents(api: FastifyInstance): void {
  api.addContentTypeParser<Buffer>(
    'application/json',
    { parseAs: 'buffer' },
    (_request: unknown, body: Buffer, done: Done) => {
      const text = textOf(body);
      // Only a list may be so long that pauses are needed.
      if (!ListScanner.isList(text)) done(null, { kind: 'event', text });
      else itemsOf(text).then((texts) => done(null, { kind: 'list', texts }), done);
    },
  );
}

type Done = (error: Error | null, events?: SentEvents) => void;

/** @throws RequestError `invalid_json` */
function textOf(body: Buffer): string {
  if (!isUtf8(body)) throw new RequestError('invalid_json', 'the body is not UTF-8');
  const text = body.toString();
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

/** @throws RequestError `invalid_json`, or `invalid_request` for too many events */
async function itemsOf(text: string): Promise<readonly string[]> {
  const scanner = new ListScanner(text, MAX_BATCH_ITEMS);
  while (scanner.advance(SCAN_SLICE)) await setImmediate();
  if (!scanner.isComplete) throw new RequestError('invalid_json', 'the body is not a JSON list');
  const { count, items } = scanner;
  if (count > 0 && count <= MAX_BATCH_ITEMS) return items;
  const detail = `a batch has 1 to ${MAX_BATCH_ITEMS} events, this one has ${count}`;
  throw new RequestError('invalid_request', detail);
}
