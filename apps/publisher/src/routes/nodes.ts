import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Deadline } from '@leque/core';
import { NodesAnswer } from '@leque/protocol';
import { NODE_STATUS } from '@leque/service';
import { described, failures } from './answers.ts';
import type { PublisherContext } from './context.ts';

const schema = {
  operationId: 'listProcesses',
  summary: 'List the processes of the cluster and their state',
  description:
    'Lists the processes that answer within a moment. Counts are since the start of each process. ' +
    'Needs the scope stats.',
  tags: ['operating'],
  response: { 200: described(NodesAnswer, 'The processes, sorted by app and name.'), ...failures },
};

export const nodesRoute: FastifyPluginAsyncTypebox<PublisherContext> = async (app, context) => {
  const { authority, control, limits } = context;
  app.get('/nodes', { onRequest: authority.require('stats'), schema }, async () => {
    using deadline = new Deadline(limits.answerWithinMs);
    const { answers, silent } = await deadline.settle(control.request(NODE_STATUS, null));
    const nodes = answers.map(({ node, body }) => ({ node, ...body }));
    nodes.sort(
      (one, other) => one.app.localeCompare(other.app) || one.node.localeCompare(other.node),
    );
    return { nodes, ...(silent !== undefined && { silent }) };
  });
};
