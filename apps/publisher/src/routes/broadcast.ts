import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { EventInput } from '@leque/protocol';
import { Type } from 'typebox';
import { Stored, storedAnswer } from '../batch.ts';
import type { PublisherContext } from '../context.ts';
import { Deadline } from '../deadline.ts';
import { NOTIFICATION } from '../examples.ts';
import { keyOf, PublishHeaders } from '../publishing.ts';
import { failures } from './failures.ts';
import { publishOptions } from './publish-options.ts';

const { message_id, channel, cursor } = Stored.properties;

const schema = {
  summary: 'Publish one event and learn how many sessions were there to get it',
  tags: ['publishing'],
  headers: PublishHeaders,
  body: Type.Object(EventInput.properties, {
    additionalProperties: false,
    examples: [NOTIFICATION],
  }),
  response: {
    200: Type.Object({
      sent_to: Type.Integer({ description: 'sessions in the whole cluster at that moment' }),
      message_id,
      channel,
      cursor,
    }),
    ...failures,
  },
};

/** The earlier system's way to publish. */
export const broadcastRoute: FastifyPluginAsyncTypebox<PublisherContext> = async (app, context) => {
  const { publishing, limits } = context;
  app.post('/ws/broadcast', publishOptions(context, schema), async ({ headers, body, caller }) => {
    using deadline = new Deadline(limits.answerWithinMs);
    const checked = publishing.check(body, keyOf(headers['idempotency-key']));
    // Counted first: once the event is stored, nothing may fail any more.
    const sentTo = await publishing.subscribers(checked.channel, deadline);
    const published = await publishing.publish(checked, {
      deadline,
      caller,
      traceparent: headers.traceparent,
    });
    const { duplicate: _, ...answer } = storedAnswer(checked, published);
    return { sent_to: sentTo, ...answer };
  });
};
