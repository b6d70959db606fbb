import { ask, dashboard, graph, number } from './grafana.mjs';
import { perSecond, quantile } from './queries.mjs';

const PROBE = 'leque_probe_round_trip_seconds';
const PUBLISH = 'leque_publish_duration_seconds';

export const redis = dashboard({
  uid: 'leque-redis',
  title: 'Leque: Redis',
  description: 'Redis as Leque sees it, and as it sees itself.',
  rows: [
    {
      title: 'As Leque sees it',
      panels: [
        number({ title: 'Processes that hear Redis', unit: 'short' }, 'sum(leque_broker_healthy)', {
          red: { below: 1 },
        }),
        number(
          { title: 'Processes that do not', unit: 'short' },
          'count(leque_broker_healthy) - sum(leque_broker_healthy)',
          { red: 1 },
        ),
        number({ title: 'Probe, p99', unit: 's' }, quantile(0.99, PROBE), { red: 0.25 }),
        number({ title: 'Storing an event, p99', unit: 's' }, quantile(0.99, PUBLISH), {
          red: 0.25,
        }),
        number({ title: 'Oldest lease', unit: 's' }, 'max(leque_lease_age_seconds)', { red: 8 }),
        number(
          { title: 'Resyncs in an hour', unit: 'short' },
          'sum(increase(leque_resyncs_total[1h]))',
          { red: 1 },
        ),
        graph({ title: 'Storing an event', unit: 's' }, [
          ask(quantile(0.5, PUBLISH), 'p50'),
          ask(quantile(0.99, PUBLISH), 'p99'),
        ]),
        graph({ title: 'Probe: publishing to oneself', unit: 's' }, [
          ask(quantile(0.5, PROBE, 'instance'), 'p50 {{instance}}'),
          ask(quantile(0.99, PROBE, 'instance'), 'p99 {{instance}}'),
        ]),
        graph({ title: 'Probes missed', unit: 'cps' }, [
          ask(perSecond('leque_probes_missed_total', 'instance'), '{{instance}}'),
        ]),
        graph({ title: 'Connections lost and found', unit: 'cps' }, [
          ask(perSecond('leque_broker_disconnections_total'), 'lost'),
          ask(perSecond('leque_broker_connections_total'), 'found'),
        ]),
        graph({ title: 'Gaps filled', unit: 'cps' }, [
          ask(perSecond('leque_gaps_filled_total'), 'gaps'),
          ask(perSecond('leque_gap_publications_total'), 'publications'),
        ]),
        graph({ title: 'What could not be read, and what is lost', unit: 'cps' }, [
          ask(perSecond('leque_events_dropped_total'), 'unreadable events'),
          ask(perSecond('leque_resyncs_total'), 'channels lost'),
          ask(perSecond('leque_leases_lost_total'), 'leases lost'),
        ]),
      ],
    },
    {
      title: 'As it sees itself (redis_exporter)',
      panels: [
        graph({ title: 'Commands', unit: 'cps' }, [
          ask('rate(redis_commands_processed_total[$__rate_interval])', '{{instance}}'),
        ]),
        graph({ title: 'Memory', unit: 'bytes' }, [
          ask('redis_memory_used_bytes', 'used {{instance}}'),
          ask('redis_memory_max_bytes', 'limit {{instance}}'),
        ]),
        graph({ title: 'Clients', unit: 'short' }, [
          ask('redis_connected_clients', '{{instance}}'),
        ]),
        graph({ title: 'CPU', unit: 'percentunit' }, [
          ask(
            'rate(redis_cpu_sys_seconds_total[$__rate_interval]) + rate(redis_cpu_user_seconds_total[$__rate_interval])',
            '{{instance}}',
          ),
        ]),
        graph({ title: 'Channels subscribed', unit: 'short' }, [
          ask('redis_pubsub_channels', '{{instance}}'),
        ]),
        graph({ title: 'Keys evicted, clients cut off', unit: 'cps' }, [
          ask('rate(redis_evicted_keys_total[$__rate_interval])', 'evicted {{instance}}'),
          ask('rate(redis_rejected_connections_total[$__rate_interval])', 'rejected {{instance}}'),
        ]),
      ],
    },
  ],
});
