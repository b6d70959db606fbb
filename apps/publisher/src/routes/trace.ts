import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { ProtocolError, tryParseChannel } from '@leque/protocol';
import { RequestError } from '@leque/service';
import { Type } from 'typebox';
import type { PublisherContext } from '../context.ts';
import { Deadline } from '../deadline.ts';
import { MessageTrace } from '../message-trace.ts';
import { failures } from './failures.ts';

const schema = {
  summary: 'What became of a message',
  description:
    'Who published it, which nodes had subscribers, and who got it or not, and why. Each process ' +
    'remembers the newest stored publications for a while (`TRACE_JOURNAL_SIZE`, ' +
    '`TRACE_JOURNAL_TTL`). Needs the scope admin.',
  tags: ['operating'],
  params: Type.Object({ message_id: Type.String() }),
  querystring: Type.Object({
    channel: Type.Optional(
      Type.String({
        description: 'where to look for it: published straight to Redis, or in several channels',
      }),
    ),
  }),
  response: { 200: MessageTrace, ...failures },
};

/** "My message did not arrive." */
export const traceRoute: FastifyPluginAsyncTypebox<PublisherContext> = async (app, context) => {
  const { authority, traces, limits } = context;
  const options = { onRequest: authority.require('admin'), schema };
  app.get('/messages/:message_id/trace', options, async ({ params, query }) => {
    const { message_id: id } = params;
    const { channel } = query;
    if (channel !== undefined && tryParseChannel(channel) === undefined) {
      const message = 'must be all, project:ID or user:ID';
      throw RequestError.ofProblems('invalid_request', [{ field: 'channel', message }]);
    }
    using deadline = new Deadline(limits.answerWithinMs);
    const trace = await traces.find(id, { channel, deadline });
    if (trace !== undefined) return trace;
    const why = traces.remembers
      ? 'no process remembers it, or no more; a channel may help to find one that was published straight to Redis'
      : 'nothing is remembered here (TRACE_JOURNAL_SIZE=0)';
    const where = channel === undefined ? '' : ` in ${channel}`;
    throw new ProtocolError('not_found', `no trace of message ${id}${where}: ${why}`);
  });
};
