import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Deadline } from '@leque/core';
import { EventInput, Stored } from '@leque/protocol';
import { RequestError } from '@leque/service';
import { Type } from 'typebox';
import { keyOf } from '../publishing/event-checks.ts';
import { PublishHeaders } from '../publishing/publishing.ts';
import { storedAnswer } from '../publishing/results.ts';
import { failures } from './answers.ts';
import type { PublisherContext } from './context.ts';
import { NOTIFICATION } from './examples.ts';
import { publishOptions, requestOf, sentEvents } from './publish-options.ts';

const { message_id, channel, cursor, live, warning, warnings } = Stored.properties;

const schema = {
  operationId: 'broadcastEvent',
  summary: 'Publish one event and count the sessions that get it',
  tags: ['publishing'],
  headers: PublishHeaders,
  body: Type.Object(EventInput.properties, {
    additionalProperties: false,
    examples: [NOTIFICATION],
  }),
  response: {
    200: Type.Object(
      {
        sent_to: Type.Integer({
          description: 'subscribed sessions in the whole cluster when the event was published',
        }),
        message_id,
        channel,
        cursor,
        live,
        warning,
        warnings,
      },
      { description: 'The event is stored, or was sent on live.' },
    ),
    ...failures,
  },
};

/** Publishes as the earlier system did. */
export const broadcastRoute: FastifyPluginAsyncTypebox<PublisherContext> = async (app, context) => {
  const { checks, publishing, limits } = context;
  app.post('/ws/broadcast', publishOptions(context, schema), async (request) => {
    using deadline = new Deadline(limits.answerWithinMs);
    const { headers, caller } = request;
    const sent = sentEvents(request);
    if (sent.kind === 'list') throw new RequestError('invalid_event', 'send one event, not a list');
    const checked = checks.check(sent.text, {
      key: keyOf(headers['idempotency-key']),
      caller,
      unaddressed: 'all', // the earlier system's contract
    });
    // Counting comes first, because nothing may fail once the event is stored.
    const sentTo = await publishing.subscribers(checked.channel, deadline);
    const published = await publishing.publish(checked, {
      deadline,
      ...requestOf(context, request),
    });
    const { duplicate: _, ...answer } = storedAnswer(checked, published);
    return { sent_to: sentTo, ...answer };
  });
};
