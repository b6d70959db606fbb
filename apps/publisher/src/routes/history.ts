import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Deadline, type HistoryPage, MAX_HISTORY_BYTES, type Publication } from '@leque/core';
import {
  encodeEnvelope,
  HistoryAnswer,
  ProtocolError,
  toCursor,
  tryParseCursor,
} from '@leque/protocol';
import { Type } from 'typebox';
import { described, failures } from './answers.ts';
import { CHANNELS, checkChannel, invalidField } from './channel-field.ts';
import type { PublisherContext } from './context.ts';

const MAX_PUBLICATIONS = 1_000;
/** Publications of a history that cost as much of the rate limit as one request. */
const PUBLICATIONS_PER_UNIT = 10;

const Query = Type.Object({
  since: Type.Optional(
    Type.String({
      description: 'cursor after which to read; without it the newest publications are read',
    }),
  ),
  limit: Type.Integer({
    minimum: 1,
    maximum: MAX_PUBLICATIONS,
    default: 100,
    description: 'most publications to read',
  }),
});
const Params = Type.Object({
  channel: Type.String({
    description: `channel to read: ${CHANNELS}`,
    examples: ['project:PROJ-001'],
  }),
});

/** Answers `GET /api/channels/{channel}/history` with publications, oldest first. */
export const historyRoutes: FastifyPluginAsyncTypebox<PublisherContext> = async (
  app,
  { broker, limits, authority, rates, historyReads },
) => {
  app.get(
    '/channels/:channel/history',
    {
      schema: {
        operationId: 'readHistory',
        summary: 'Read the publications that a channel remembers',
        description:
          'Needs a token that covers the channel, or the scope admin. `complete` is false when ' +
          'publications after `since` are gone; then the list is empty. `more` is true when there ' +
          'are further publications: ask again with the cursor of the last one as `since`.',
        tags: ['history'],
        params: Params,
        querystring: Query,
        response: {
          200: described(HistoryAnswer, 'Publications, the oldest first.'),
          ...failures,
        },
      },
    },
    async (request, reply) => {
      const { grants } = await authority.identify(request, reply);
      const { channel } = request.params;
      checkChannel(channel);
      if (!grants.covers(channel) && !grants.has('admin')) {
        throw new ProtocolError('forbidden', `this token does not allow ${channel}`);
      }
      using deadline = new Deadline(limits.answerWithinMs);
      const { since, limit } = request.query;
      const after = positionOf(since);
      rates.charge(request, reply, Math.floor(limit / PUBLICATIONS_PER_UNIT));
      const extent = { publications: limit, bytes: MAX_HISTORY_BYTES };
      const read = () =>
        after === undefined
          ? broker.history(channel, undefined, extent)
          : broker.pageAfter(channel, after, extent);
      const { bucket } = request;
      const isWanted = () => !deadline.expired;
      const page = await deadline.settle(historyReads.run({ bucket, read, isWanted }));
      reply.type('application/json; charset=utf-8').serializer(encodeAnswer);
      return {
        channel,
        ...(page.position !== undefined && { cursor: toCursor(page.position) }),
        complete: page.complete,
        more: hasMore(page),
        publications: [...page.publications],
      };
    },
  );
};

/** Publications keep the text in which they were sent, because printing them anew changes numbers. */
function encodeAnswer({ publications, ...rest }: { publications: readonly Publication[] }): string {
  const head = JSON.stringify(rest).slice(0, -1);
  return `${head},"publications":[${publications.map(encodeEnvelope).join(',')}]}`;
}

function hasMore({ publications, position: top }: HistoryPage): boolean {
  const last = publications.at(-1)?.position;
  return last !== undefined && top !== undefined && last.offset < top.offset;
}

function positionOf(since: string | undefined) {
  if (since === undefined) return undefined;
  const position = tryParseCursor(since);
  if (position === undefined) throw invalidField('since', 'is not a cursor');
  return position;
}
