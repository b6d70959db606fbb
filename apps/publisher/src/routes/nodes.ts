import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type NodeStatus, STATUS_QUESTION } from '@leque/service';
import { Type } from 'typebox';
import type { PublisherContext } from '../context.ts';
import { Deadline } from '../deadline.ts';
import { stateUnavailable } from '../publishing.ts';
import { failures } from './failures.ts';

const Count = Type.Integer({ minimum: 0 });

const Node = Type.Object({
  node: Type.String(),
  app: Type.Enum(['gateway', 'publisher']),
  version: Type.String(),
  uptime_s: Count,
  unready: Type.Array(Type.String(), { description: 'why it should get no traffic' }),
  rss_bytes: Count,
  cpu_ms: Count,
  connections: Type.Optional(Count),
  channels: Type.Optional(Count),
  messages_sent: Type.Optional(Count),
  stored: Type.Optional(Count),
});

const schema = {
  summary: 'The processes of the cluster, and how they are doing',
  description: 'Those that answer within a moment. Counts are since the start of each process.',
  tags: ['operating'],
  response: {
    200: Type.Object({
      nodes: Type.Array(Node),
      silent: Type.Optional(
        Type.Integer({ minimum: 0, description: 'that did not answer; absent in a Cluster' }),
      ),
    }),
    ...failures,
  },
};

export const nodesRoute: FastifyPluginAsyncTypebox<PublisherContext> = async (app, context) => {
  const { authority, control, limits } = context;
  app.get('/nodes', { onRequest: authority.require('stats'), schema }, async () => {
    using deadline = new Deadline(limits.answerWithinMs);
    const asking = control.ask(STATUS_QUESTION, null);
    const { answers, silent } = await deadline.settle(asking, stateUnavailable);
    const nodes = answers.map(({ node, body }) => {
      const { unready, ...status } = body as unknown as NodeStatus;
      return { node, ...status, unready: [...unready] };
    });
    nodes.sort(
      (one, other) => one.app.localeCompare(other.app) || one.node.localeCompare(other.node),
    );
    return { nodes, ...(silent !== undefined && { silent }) };
  });
};
