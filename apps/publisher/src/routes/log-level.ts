import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { ProtocolError } from '@leque/protocol';
import { LOG_LEVEL_QUESTION, PROCESS_LOG_LEVELS } from '@leque/service';
import { Type } from 'typebox';
import type { PublisherContext } from '../context.ts';
import { Deadline } from '../deadline.ts';
import { stateUnavailable } from '../publishing.ts';
import { failures } from './failures.ts';

const Level = Type.Enum([...PROCESS_LOG_LEVELS]);

const schema = {
  summary: 'Change what all processes log, or one of them',
  description: 'Until they end, or are told again. Needs the scope admin.',
  tags: ['operating'],
  body: Type.Object(
    {
      level: Level,
      node: Type.Optional(Type.String({ description: 'its NODE_ID; all without it' })),
    },
    { additionalProperties: false, examples: [{ level: 'debug', node: 'gateway-1' }] },
  ),
  response: {
    200: Type.Object({
      changed: Type.Array(Type.String(), { description: 'processes that log so from now on' }),
    }),
    ...failures,
  },
};

export const logLevelRoute: FastifyPluginAsyncTypebox<PublisherContext> = async (app, context) => {
  const { authority, control, limits } = context;
  app.post('/log-level', { onRequest: authority.require('admin'), schema }, async ({ body }) => {
    using deadline = new Deadline(limits.answerWithinMs);
    const { level, node = null } = body;
    const asking = control.ask(LOG_LEVEL_QUESTION, { level, node });
    const { answers } = await deadline.settle(asking, stateUnavailable);
    if (answers.length === 0) {
      const who = node === null ? 'no process' : `no process called ${node}`;
      throw new ProtocolError('not_found', `${who} answered`);
    }
    return { changed: [...new Set(answers.map((answer) => answer.node))].sort() };
  });
};
