import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import {
  type ConnectOptions,
  describeTransportContract,
  type TransportClient,
} from '@leque/testkit/contracts';
import { describe } from 'vitest';
import { createTransports } from '../../src/index.ts';
import { startGateway, tokenFor } from '../support/gateway.ts';
import { NdjsonTransport } from './ndjson-transport.ts';

describe('the example transport', () => {
  describeTransportContract({ name: 'ndjson', startNode, tokenFor, connect });
});

function startNode(env: Record<string, string>) {
  return startGateway(env, {
    createTransports: (context, options) => [
      ...createTransports(context, options),
      new NdjsonTransport(context),
    ],
  });
}

async function connect(url: string, { token, cursors = {} }: ConnectOptions) {
  const query = new URLSearchParams({ cursors: JSON.stringify(cursors) });
  const abort = new AbortController();
  const response = await fetch(`${url}/stream?${query}`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    signal: abort.signal,
  });
  if (response.status !== 200) throw new Error(`refused with ${response.status}`);
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const events: TransportClient['events'][number][] = [];
  const body = Readable.fromWeb(response.body as ReadableStream);
  const lines = createInterface(body);
  for (const each of [body, lines]) each.on('error', () => {}); // the client has aborted it
  lines.on('line', (line) => {
    const envelope = JSON.parse(line);
    if (envelope.type === 'connection') open();
    if (envelope.type === 'numbered') events.push(envelope);
  });
  const closed = new Promise((resolve) => body.once('close', resolve));
  await opened;
  return { events, closed, [Symbol.dispose]: () => abort.abort() };
}
