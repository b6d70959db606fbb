import type { ServerResponse } from 'node:http';
import {
  assertAccepting,
  assertGrantsSuffice,
  authorize,
  bearerToken,
  ClientSession,
  EndpointFeed,
  type Identity,
  notificationsEndpoint,
  outcomesOf,
  reportRefusal,
  resumeChannels,
  type Transport,
  type TransportContext,
} from '@leque/core';
import { encodeReply, ProtocolError, parseCursor } from '@leque/protocol';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { NdjsonConnection, ndjsonFormat, toLine } from './ndjson-connection.ts';

type Cursors = Readonly<Record<string, string>>;

/**
 * The smallest transport: `GET /stream` answers with one JSON envelope per line for as long as the
 * client listens. It takes no commands; cursors come as JSON in the query.
 */
export class NdjsonTransport implements Transport<FastifyInstance> {
  readonly name = ndjsonFormat.transport;
  readonly #context: TransportContext;

  constructor(context: TransportContext) {
    this.#context = context;
  }

  async start(app: FastifyInstance): Promise<void> {
    app.get('/stream', async (request, reply) => {
      try {
        await this.#serve(request, reply);
      } catch (error) {
        await this.#refuse(reply, error);
      }
    });
  }

  async close(): Promise<void> {
    // The drain has ended every stream.
  }

  async #serve({ headers, query, raw }: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { origin } = headers;
    const token = bearerToken(headers.authorization);
    const { admission, knownTokens, addresses } = this.#context;
    await admission.enter(knownTokens.has(token) ? 'known' : 'newcomers');
    const identity = await authorize(
      { origin, names: addresses.namesOf(raw), token },
      this.#context,
    );
    const endpoint = notificationsEndpoint(this.#context.firehose);
    assertGrantsSuffice(identity, endpoint, this.#context);
    assertAccepting(this.#context);
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'application/x-ndjson' });
    const client = this.#open(reply.raw, identity);
    const feed = new EndpointFeed(client, endpoint);
    const { cursors = '{}' } = query as { cursors?: string };
    client.begin(() => this.#begin(client, feed, JSON.parse(cursors) as Cursors));
  }

  #open(response: ServerResponse, identity: Identity): ClientSession<never> {
    const connection = new NdjsonConnection(response, this.#context.clock);
    const handler = {
      execute() {},
      refuse() {},
      presented: () => [],
      bytesOf: () => 0,
      isUrgent: () => false,
      ended() {},
      returned() {},
    };
    const client = new ClientSession<never>(
      { handler, connection, context: this.#context },
      identity,
    );
    client.reportOpened();
    response.on('close', () => client.closed(client.session.closeCode ?? 1000, ''));
    return client;
  }

  async #begin(client: ClientSession<never>, feed: EndpointFeed, cursors: Cursors): Promise<void> {
    const { telemetry, hub } = this.#context;
    await feed.open();
    const results = await resumeChannels(telemetry, Object.keys(cursors), (channel) =>
      hub.subscribe(client.session, channel, { since: parseCursor(cursors[channel] ?? '') }),
    );
    client.session.send(toLine(encodeReply('connection', { channels: outcomesOf(results) })), 1);
    client.flow();
  }

  async #refuse(reply: FastifyReply, error: unknown): Promise<void> {
    if (!(error instanceof ProtocolError)) throw error;
    reportRefusal(this.#context.telemetry, this.name, error);
    await reply.code(error.status).type('application/problem+json').send(error.toProblem());
  }
}
