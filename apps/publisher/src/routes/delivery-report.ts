import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Deadline } from '@leque/core';
import { DeliveryReport, ProtocolError } from '@leque/protocol';
import { Type } from 'typebox';
import { described, failures } from './answers.ts';
import { CHANNELS, checkChannel } from './channel-field.ts';
import type { PublisherContext } from './context.ts';

const schema = {
  operationId: 'traceMessage',
  summary: 'Report what became of an event',
  description:
    'Reports who published the event, which nodes had subscribers, and which sessions got it or ' +
    'did not, and why. Each process remembers the newest stored publications for a while ' +
    '(`TRACE_JOURNAL_SIZE`, `TRACE_JOURNAL_TTL`). Needs the scope admin.',
  tags: ['operating'],
  params: Type.Object({
    message_id: Type.String({ description: 'message_id of the event' }),
  }),
  querystring: Type.Object({
    channel: Type.Optional(
      Type.String({
        description:
          `channel to search: ${CHANNELS}. Needed for an event that was published straight to ` +
          'Redis, and for a message_id that was used in several channels',
      }),
    ),
  }),
  response: { 200: described(DeliveryReport, 'What became of the event.'), ...failures },
};

const FORGOTTEN =
  'no process remembers it; a channel helps to find an event that was published straight to Redis';
const TURNED_OFF = 'this process remembers nothing (TRACE_JOURNAL_SIZE=0)';

/** Answers the question "why did my event not arrive?". */
export const deliveryReportRoute: FastifyPluginAsyncTypebox<PublisherContext> = async (
  app,
  { authority, reports, limits },
) => {
  const options = { onRequest: authority.require('admin'), schema };
  app.get('/messages/:message_id/trace', options, async ({ params, query }) => {
    const { message_id: messageId } = params;
    const { channel } = query;
    if (channel !== undefined) checkChannel(channel);
    using deadline = new Deadline(limits.answerWithinMs);
    const report = await reports.find({ messageId, channel, deadline });
    if (report !== undefined) return report;
    const reason = limits.journalEntries > 0 ? FORGOTTEN : TURNED_OFF;
    const where = channel === undefined ? '' : ` in ${channel}`;
    throw new ProtocolError('not_found', `no trace of message ${messageId}${where}: ${reason}`);
  });
};
