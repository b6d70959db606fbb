import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Deadline } from '@leque/core';
import { EventInput, PublishResults, Stored } from '@leque/protocol';
import { sendProblem } from '@leque/service';
import { Type } from 'typebox';
import { batchProblem, publishBatch, storedAnswer } from '../publishing/publish-batch.ts';
import { keyOf, PublishHeaders } from '../publishing/publishing.ts';
import { MAX_BATCH_ITEMS } from '../publishing/sent-events.ts';
import { failures } from './answers.ts';
import type { PublisherContext } from './context.ts';
import { NOTIFICATION, STORY_CREATED, TASK_COMPLETED } from './examples.ts';
import { publishOptions, requestOf, sentEvents } from './publish-options.ts';

const event = Type.Object(EventInput.properties, {
  additionalProperties: false,
  description: 'an event: its type, its data, and the channel or ids that it goes to',
  examples: [STORY_CREATED, TASK_COMPLETED, NOTIFICATION],
});

const schema = {
  operationId: 'publishEvents',
  summary: 'Publish one event, or up to 1,000',
  description:
    'Success means that the event is stored; with `live: true`, that it was sent on. In a list, invalid events are refused with a problem ' +
    'each, and the others are stored in their order.',
  tags: ['publishing'],
  headers: PublishHeaders,
  body: Type.Union([event, Type.Array(event, { minItems: 1, maxItems: MAX_BATCH_ITEMS })]),
  response: {
    200: Type.Union([Stored, PublishResults], {
      description: 'The event is published, or every event of the list.',
    }),
    ...failures,
  },
};

export const publishRoute: FastifyPluginAsyncTypebox<PublisherContext> = async (app, context) => {
  const { publishing, limits, rates, unaddressed } = context;
  app.post('/publish', publishOptions(context, schema), async (request, reply) => {
    const publish = requestOf(context, request);
    const key = keyOf(request.headers['idempotency-key']);
    const check = { key, caller: publish.caller, unaddressed };
    const sent = sentEvents(request);
    if (sent.kind === 'list') {
      const { texts } = sent;
      rates.charge(request, reply, texts.length - 1);
      const batch = { ...publish, texts, check, storeWithinMs: limits.answerWithinMs };
      const results = await publishBatch(context, batch);
      const problem = batchProblem(results);
      return problem === undefined ? { results } : sendProblem(reply, problem, { results });
    }
    const checked = publishing.check(sent.text, check);
    using deadline = new Deadline(limits.answerWithinMs);
    return storedAnswer(checked, await publishing.publish(checked, { ...publish, deadline }));
  });
};
