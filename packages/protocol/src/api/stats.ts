import { type Static, Type } from 'typebox';
import { count } from './count.ts';

/** Statistics of the whole cluster, as `GET /api/ws/stats` and the action `stats` answer them. */
export const Stats = Type.Object({
  active_connections: count('connections that are open now'),
  active_projects: count('projects with at least one subscriber now'),
  total_connections: count('connections since the statistics began'),
  total_messages_sent: count('messages queued for clients since the statistics began'),
  total_broadcasts: count('events stored since the statistics began'),
  connections_per_project: Type.Record(Type.String(), count('subscribers of the project now')),
});
export type Stats = Static<typeof Stats>;
