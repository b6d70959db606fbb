import { type Static, Type } from 'typebox';

const Count = Type.Integer({ minimum: 0 });

/** The statistics of the whole cluster, as `GET /api/ws/stats` and the `stats` action answer. */
export const Stats = Type.Object({
  active_connections: Count,
  active_projects: Count,
  total_connections: Count,
  total_messages_sent: Count,
  total_broadcasts: Count,
  connections_per_project: Type.Record(Type.String(), Count),
});
export type Stats = Static<typeof Stats>;
