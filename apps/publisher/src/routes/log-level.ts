import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Deadline } from '@leque/core';
import { LogLevelAnswer, LogLevelChange, ProtocolError } from '@leque/protocol';
import { LOG_LEVEL } from '@leque/service';
import { described, failures } from './answers.ts';
import type { PublisherContext } from './context.ts';

const schema = {
  operationId: 'changeLogLevel',
  summary: 'Change the log level of one process or all of them',
  description:
    'The change lasts until the process ends or its level is changed again. Needs the scope admin.',
  tags: ['operating'],
  body: LogLevelChange,
  response: {
    200: described(LogLevelAnswer, 'The processes whose level has changed.'),
    ...failures,
  },
};

export const logLevelRoute: FastifyPluginAsyncTypebox<PublisherContext> = async (app, context) => {
  const { authority, control, limits } = context;
  app.post(
    '/log-level',
    { onRequest: authority.require('admin'), schema },
    async ({ body, caller }) => {
      using deadline = new Deadline(limits.answerWithinMs);
      const { level, node = null } = body;
      const { answers } = await deadline.settle(
        control.request(LOG_LEVEL, { level, node, by: caller.name }),
      );
      if (answers.length === 0) {
        const who = node === null ? 'no process' : `no process with the NODE_ID ${node}`;
        throw new ProtocolError('not_found', `${who} answered`);
      }
      return { changed: [...new Set(answers.map((answer) => answer.node))].sort() };
    },
  );
};
