import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Deadline } from '@leque/core';
import { EventInput, LIST_FIELDS, ListResult, PublishResults, Stored } from '@leque/protocol';
import { sendProblem } from '@leque/service';
import { Type } from 'typebox';
import {
  assertWithinLimits,
  type CheckedLists,
  recipientsOf,
} from '../publishing/checked-lists.ts';
import { keyOf } from '../publishing/event-checks.ts';
import { publishBatch } from '../publishing/publish-batch.ts';
import { publishLists } from '../publishing/publish-lists.ts';
import { PublishHeaders } from '../publishing/publishing.ts';
import { requestProblem, storedAnswer } from '../publishing/results.ts';
import { MAX_BATCH_ITEMS } from '../publishing/sent-events.ts';
import { failures } from './answers.ts';
import type { PublisherContext } from './context.ts';
import { MEETING_MOVED, NOTIFICATION, STORY_CREATED, TASK_COMPLETED } from './examples.ts';
import { publishOptions, requestOf, sentEvents } from './publish-options.ts';

const event = Type.Object(
  { ...EventInput.properties, ...Type.Partial(Type.Object(LIST_FIELDS)).properties },
  {
    additionalProperties: false,
    description: 'an event: its type, its data, and the channel or ids that it goes to',
    examples: [STORY_CREATED, TASK_COMPLETED, NOTIFICATION, MEETING_MOVED],
  },
);

const schema = {
  operationId: 'publishEvents',
  summary: 'Publish one event, or up to 1,000',
  description:
    'Success means that the event is stored; with `live: true`, that it was sent on. In a list, ' +
    'invalid events are refused with a problem each, and the others are published in their order. ' +
    'An event with `user_ids` or `project_ids` is published once for each of them, and answered ' +
    'with a result for each.',
  tags: ['publishing'],
  headers: PublishHeaders,
  body: Type.Union([event, Type.Array(event, { minItems: 1, maxItems: MAX_BATCH_ITEMS })]),
  response: {
    200: Type.Union([Stored, ListResult, PublishResults], {
      description: 'The event is published, or the results say which events are.',
    }),
    ...failures,
  },
};

export const publishRoute: FastifyPluginAsyncTypebox<PublisherContext> = async (app, context) => {
  const { checks, publishing, limits, rates, unaddressed } = context;
  app.post('/publish', publishOptions(context, schema), async (request, reply) => {
    const publish = requestOf(context, request);
    const key = keyOf(request.headers['idempotency-key']);
    const check = { key, caller: publish.caller, unaddressed };
    const sent = sentEvents(request);
    const events = sent.kind === 'list' ? sent.texts.length : 1;
    rates.charge(request, reply, events - 1);
    const accept = (lists: readonly CheckedLists[]) => {
      if (lists.length === 0) return;
      const others = events - lists.length;
      assertWithinLimits(lists, { others, maxBytes: limits.maxBatchBytes });
      const recipients = lists.reduce((sum, each) => sum + recipientsOf(each), 0);
      rates.charge(request, reply, recipients - lists.length);
    };
    if (sent.kind === 'list') {
      const { texts } = sent;
      const batch = { ...publish, texts, check, accept, storeWithinMs: limits.answerWithinMs };
      const results = await publishBatch(context, batch);
      const problem = requestProblem(results);
      return problem === undefined ? { results } : sendProblem(reply, problem, { results });
    }
    const checked = checks.checkAny(sent.text, check);
    using deadline = new Deadline(limits.answerWithinMs);
    if ('lists' in checked) {
      accept([checked]);
      const answer = await publishLists(context, checked, { ...publish, deadline });
      const problem = requestProblem(answer.results);
      return problem === undefined ? answer : sendProblem(reply, problem, answer);
    }
    return storedAnswer(checked, await publishing.publish(checked, { ...publish, deadline }));
  });
};
