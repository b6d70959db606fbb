import { ask, dashboard, graph, number } from './grafana.mjs';
import { GATEWAYS, mean, perSecond, quantile } from './queries.mjs';

const NODE = `{${GATEWAYS},instance=~"$node"}`;
const of = (metric) => `${metric}${NODE}`;
const eachNode = (metric) => ask(of(metric), '{{instance}}');
const rates = (metric, by) => [ask(perSecond(of(metric), by), `{{${by}}}`)];

export const gateway = dashboard({
  uid: 'leque-gateway',
  title: 'Leque: a gateway',
  description: 'The work of one gateway, and its reserves.',
  variables: [
    {
      name: 'node',
      label: 'Gateway',
      query: `label_values(leque_connections_limit{${GATEWAYS}}, instance)`,
    },
  ],
  rows: [
    {
      title: 'Now',
      panels: [
        number(
          { title: 'Connections', unit: 'short' },
          `sum(leque_connections{state="open",instance=~"$node"})`,
        ),
        number(
          { title: 'Of what it may take', unit: 'percentunit' },
          `sum(leque_connections{instance=~"$node"}) / sum(${of('leque_connections_limit')})`,
          { red: 0.8 },
        ),
        number({ title: 'Channels', unit: 'short' }, `sum(${of('leque_channels')})`),
        number(
          { title: 'Event loop in use', unit: 'percentunit' },
          `max(${of('nodejs_eventloop_utilization')})`,
          {
            red: 0.9,
          },
        ),
        number({ title: 'Hears Redis', unit: 'short' }, `min(${of('leque_broker_healthy')})`, {
          red: { below: 1 },
        }),
        number(
          { title: 'Lease renewed before', unit: 's' },
          `max(${of('leque_lease_age_seconds')})`,
          { red: 8 },
        ),
      ],
    },
    {
      title: 'Fan-out',
      panels: [
        graph({ title: 'Publications and messages', unit: 'cps' }, [
          ask(perSecond(of('leque_publications_total')), 'publications'),
          ask(perSecond(of('leque_messages_sent_total')), 'messages'),
        ]),
        graph(
          { title: 'Writes to sockets', unit: 'cps' },
          rates('leque_writes_total', 'transport'),
        ),
        graph({ title: 'Messages in a write', unit: 'short' }, [
          ask(mean(of('leque_write_messages')), 'mean'),
          ask(quantile(0.99, of('leque_write_messages')), 'p99'),
        ]),
        graph(
          { title: 'From publishing to writing', unit: 's' },
          [
            ask(quantile(0.5, of('leque_publish_to_write_seconds')), 'p50'),
            ask(quantile(0.99, of('leque_publish_to_write_seconds')), 'p99'),
          ],
          { red: 0.1 },
        ),
        graph({ title: 'Waiting in outboxes', unit: 'bytes' }, [
          ask(quantile(0.5, of('leque_outbox_bytes')), 'p50'),
          ask(quantile(0.999, of('leque_outbox_bytes')), 'p99.9'),
        ]),
        graph({ title: 'Flushing, at a time', unit: 's' }, [
          ask(mean(of('leque_fanout_slice_seconds')), 'mean'),
          ask(quantile(0.99, of('leque_fanout_slice_seconds')), 'p99'),
        ]),
        graph({ title: 'Socket.IO, the short way or Engine.IO', unit: 'cps' }, [
          ask(perSecond(of('leque_socketio_direct_writes_total')), 'short'),
          ask(perSecond(of('leque_socketio_engine_writes_total')), 'Engine.IO'),
        ]),
        graph({ title: 'Slow clients', unit: 'cps' }, [
          ask(perSecond(of('leque_slow_consumers_total')), 'closed'),
          ask(perSecond(of('leque_messages_conflated_total')), 'conflated'),
          ask(perSecond(of('leque_messages_dropped_total')), 'dropped'),
          ask(perSecond(of('leque_live_messages_dropped_total')), 'live-only dropped'),
        ]),
        graph(
          { title: 'Bytes to clients', unit: 'Bps' },
          rates('leque_sent_bytes_total', 'transport'),
          {
            stacked: true,
          },
        ),
      ],
    },
    {
      title: 'Clients',
      panels: [
        graph({ title: 'Connections', unit: 'short' }, [
          ask(
            `sum by (transport, state) (leque_connections{instance=~"$node"})`,
            '{{transport}} {{state}}',
          ),
        ]),
        graph(
          { title: 'Closed, by code', unit: 'cps' },
          rates('leque_sessions_closed_total', 'code'),
        ),
        graph(
          { title: 'Refused, by reason', unit: 'cps' },
          rates('leque_connections_refused_total', 'code'),
        ),
        graph(
          { title: 'Commands refused', unit: 'cps' },
          rates('leque_commands_refused_total', 'code'),
        ),
        graph({ title: 'Tokens', unit: 'cps' }, rates('leque_authentications_total', 'outcome')),
        graph(
          { title: 'Came back with a cursor', unit: 'cps' },
          rates('leque_resumes_total', 'outcome'),
        ),
      ],
    },
    {
      title: 'The process',
      panels: [
        graph({ title: 'CPU', unit: 'percentunit' }, [
          ask(`rate(${of('process_cpu_seconds_total')}[$__rate_interval])`, '{{instance}}'),
        ]),
        graph(
          { title: 'Event loop in use', unit: 'percentunit' },
          [eachNode('nodejs_eventloop_utilization')],
          {
            max: 1,
            red: 0.9,
          },
        ),
        graph({ title: 'Event-loop delay', unit: 's' }, [
          ask(of('nodejs_eventloop_lag_p99_seconds'), 'p99 {{instance}}'),
          ask(of('nodejs_eventloop_lag_max_seconds'), 'max {{instance}}'),
        ]),
        graph({ title: 'Memory', unit: 'bytes' }, [
          ask(of('process_resident_memory_bytes'), 'resident {{instance}}'),
          ask(of('nodejs_heap_size_used_bytes'), 'heap {{instance}}'),
          ask(of('nodejs_external_memory_bytes'), 'buffers {{instance}}'),
        ]),
        graph({ title: 'Collecting garbage', unit: 'percentunit' }, [
          ask(
            `sum by (kind) (rate(nodejs_gc_duration_seconds_sum${NODE}[$__rate_interval]))`,
            '{{kind}}',
          ),
        ]),
        graph({ title: 'Errors that are bugs', unit: 'cps' }, [
          ask(perSecond(of('leque_failures_total')), 'failures'),
        ]),
      ],
    },
  ],
});
