import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Deadline } from '@leque/core';
import { IdText, projectChannel, Stats } from '@leque/protocol';
import { Type } from 'typebox';
import { failures } from './answers.ts';
import type { PublisherContext } from './context.ts';
import { STATS } from './examples.ts';

const Count = Type.Integer({ minimum: 0 });
const StatsAnswer = Type.Object(Stats.properties, {
  description: 'Counts of the whole cluster.',
  examples: [STATS],
});
const ConnectionsAnswer = Type.Object(
  { count: Count },
  { description: 'The number of open connections.' },
);
const SubscribersAnswer = Type.Object(
  { project_id: IdText, subscribers: Count },
  { description: 'The number of sessions.' },
);
const tags = ['statistics'];

/** Statistics of the whole cluster, in the shapes of the earlier system. */
export const statisticsRoutes: FastifyPluginAsyncTypebox<PublisherContext> = async (
  app,
  { publishing, state, limits, authority },
) => {
  const onRequest = authority.require('stats');
  const stats = async () => {
    using deadline = new Deadline(limits.answerWithinMs);
    return await deadline.settle(state.stats());
  };

  app.get(
    '/ws/stats',
    {
      onRequest,
      schema: {
        operationId: 'readStatistics',
        summary: 'Read the statistics of the cluster',
        tags,
        response: {
          200: StatsAnswer,
          ...failures,
        },
      },
    },
    stats,
  );

  app.get(
    '/ws/connections',
    {
      onRequest,
      schema: {
        operationId: 'countConnections',
        summary: 'Count the open connections of the cluster',
        tags,
        response: {
          200: ConnectionsAnswer,
          ...failures,
        },
      },
    },
    async () => ({ count: (await stats()).active_connections }),
  );

  app.get(
    '/ws/project/:project_id/subscribers',
    {
      onRequest,
      schema: {
        operationId: 'countSubscribers',
        summary: 'Count the sessions that get the events of a project',
        description:
          'Counts sessions that subscribed to the project and sessions that get the events of all projects.',
        tags,
        params: Type.Object({ project_id: IdText }),
        response: { 200: SubscribersAnswer, ...failures },
      },
    },
    async ({ params: { project_id } }) => {
      using deadline = new Deadline(limits.answerWithinMs);
      const subscribers = await publishing.subscribers(projectChannel(project_id), deadline);
      return { project_id, subscribers };
    },
  );
};
