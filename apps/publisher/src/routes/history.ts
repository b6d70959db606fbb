import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type HistoryPage, MAX_HISTORY_BYTES } from '@leque/core';
import {
  encodeEnvelope,
  ProtocolError,
  toCursor,
  tryParseChannel,
  tryParseCursor,
} from '@leque/protocol';
import { RequestError } from '@leque/service';
import { Type } from 'typebox';
import type { PublisherContext } from '../context.ts';
import { Deadline } from '../deadline.ts';
import { stateUnavailable } from '../publishing.ts';
import { failures } from './failures.ts';

const MAX_PUBLICATIONS = 1_000;
const CHANNELS = 'must be all, logs, project:ID or user:ID';

const Query = Type.Object({
  since: Type.Optional(
    Type.String({ description: 'a cursor: everything after it; without it the newest' }),
  ),
  limit: Type.Integer({ minimum: 1, maximum: MAX_PUBLICATIONS, default: 100 }),
});
const Params = Type.Object({ channel: Type.String({ examples: ['project:PROJ-001'] }) });

/** `GET /api/channels/{channel}/history`: what a channel still remembers, oldest first. */
export const historyRoutes: FastifyPluginAsyncTypebox<PublisherContext> = async (
  app,
  { broker, limits, authority },
) => {
  app.get(
    '/channels/:channel/history',
    {
      schema: {
        summary: 'The publications that a channel remembers',
        description:
          'Needs a token that covers the channel, or the scope admin. `complete` is false when ' +
          'some publications after `since` are gone; then there are none. With `more` there are ' +
          'others: ask again, with the cursor of the last one as `since`.',
        tags: ['history'],
        params: Params,
        querystring: Query,
        response: {
          200: Type.Object({
            channel: Type.String(),
            cursor: Type.Optional(Type.String({ description: 'the top of the channel' })),
            complete: Type.Boolean(),
            more: Type.Boolean(),
            publications: Type.Array(Type.Object({}, { description: 'as clients get them' })),
          }),
          ...failures,
        },
      },
    },
    async (request) => {
      const { grants } = await authority.identify(request);
      const { channel } = request.params;
      if (tryParseChannel(channel) === undefined) throw wrongField('channel', CHANNELS);
      if (!grants.covers(channel) && !grants.has('admin')) {
        throw new ProtocolError('forbidden', `this token does not allow ${channel}`);
      }
      using deadline = new Deadline(limits.answerWithinMs);
      const { since, limit } = request.query;
      const after = positionOf(since);
      const reading =
        after === undefined
          ? broker.history(channel, undefined, { publications: limit, bytes: MAX_HISTORY_BYTES })
          : broker.pageAfter(channel, after, limit);
      const page = await deadline.settle(reading, stateUnavailable);
      return {
        channel,
        ...(page.position !== undefined && { cursor: toCursor(page.position) }),
        complete: page.complete,
        more: hasMore(page),
        publications: page.publications.map((publication) =>
          JSON.parse(encodeEnvelope(publication)),
        ),
      };
    },
  );
};

function hasMore({ publications, position: top }: HistoryPage): boolean {
  const last = publications.at(-1)?.position;
  return last !== undefined && top !== undefined && last.offset < top.offset;
}

function positionOf(since: string | undefined) {
  if (since === undefined) return undefined;
  const position = tryParseCursor(since);
  if (position === undefined) throw wrongField('since', 'is not a cursor');
  return position;
}

function wrongField(field: string, message: string): RequestError {
  return RequestError.ofProblems('invalid_request', [{ field, message }]);
}
