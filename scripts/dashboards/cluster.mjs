import { ask, dashboard, graph, number } from './grafana.mjs';
import { GATEWAYS, perSecond, quantile } from './queries.mjs';

const LATENCY = 'leque_publish_to_write_seconds';

export const cluster = dashboard({
  uid: 'leque-cluster',
  title: 'Leque: cluster',
  description: 'The health of the cluster, and how much it carries.',
  rows: [
    {
      title: 'Now',
      panels: [
        number({ title: 'Connections', unit: 'short' }, 'sum(leque_connections{state="open"})'),
        number(
          { title: 'Gateways that are ready', unit: 'short' },
          `sum(leque_ready{${GATEWAYS}})`,
          {
            red: { below: 1 },
          },
        ),
        number({ title: 'Events stored', unit: 'cps' }, perSecond('leque_events_stored_total')),
        number(
          { title: 'Messages to clients', unit: 'cps' },
          perSecond('leque_messages_sent_total'),
        ),
        number({ title: 'From publishing to writing, p99', unit: 's' }, quantile(0.99, LATENCY), {
          red: 0.1,
        }),
        number(
          { title: 'Resyncs in an hour', unit: 'short' },
          'sum(increase(leque_resyncs_total[1h]))',
          {
            red: 1,
            description:
              'Channels of which publications are lost; their clients were sent a resync.',
          },
        ),
      ],
    },
    {
      title: 'Connections',
      panels: [
        graph(
          { title: 'Open', unit: 'short' },
          [ask('sum by (transport) (leque_connections{state="open"})', '{{transport}}')],
          { stacked: true },
        ),
        graph({ title: 'By gateway', unit: 'short' }, [
          ask('sum by (instance) (leque_connections{state="open"})', '{{instance}}'),
          ask('min(leque_connections_limit)', 'limit of one'),
        ]),
        graph({ title: 'Waiting to be let in', unit: 'short' }, [
          ask('sum by (transport) (leque_connections{state="opening"})', '{{transport}}'),
        ]),
        graph({ title: 'Opened', unit: 'cps' }, [
          ask(perSecond('leque_sessions_opened_total', 'transport'), '{{transport}}'),
        ]),
        graph(
          { title: 'Closed, by code', unit: 'cps' },
          [ask(perSecond('leque_sessions_closed_total', 'code'), '{{code}}')],
          {
            description:
              '1012: drained. 4001: token expired. 4008: slow consumer. 4009: heartbeat timeout. 1013: full.',
          },
        ),
        graph({ title: 'Refused, by reason', unit: 'cps' }, [
          ask(perSecond('leque_connections_refused_total', 'code'), '{{code}}'),
        ]),
      ],
    },
    {
      title: 'Events',
      panels: [
        graph({ title: 'Published', unit: 'cps' }, [
          ask(perSecond('leque_events_stored_total'), 'stored'),
          ask(perSecond('leque_events_live_total'), 'live only'),
          ask(perSecond('leque_events_duplicates_total'), 'known already'),
          ask(perSecond('leque_events_refused_total'), 'refused'),
          ask(perSecond('leque_events_failed_total'), 'failed'),
        ]),
        graph({ title: 'Reached gateways', unit: 'cps' }, [
          ask(perSecond('leque_publications_total', 'instance'), '{{instance}}'),
        ]),
        graph(
          { title: 'Messages to clients', unit: 'cps' },
          [ask(perSecond('leque_messages_sent_total', 'instance'), '{{instance}}')],
          { stacked: true },
        ),
        graph(
          { title: 'Bytes to clients', unit: 'Bps' },
          [ask(perSecond('leque_sent_bytes_total', 'transport'), '{{transport}}')],
          { stacked: true },
        ),
        graph(
          { title: 'From publishing to writing', unit: 's' },
          [
            ask(quantile(0.5, LATENCY), 'p50'),
            ask(quantile(0.99, LATENCY), 'p99'),
            ask(quantile(0.999, LATENCY), 'p99.9'),
          ],
          { red: 0.1 },
        ),
        graph(
          { title: 'Writes later than 100 ms', unit: 'percentunit' },
          [ask('leque:slow_writes:ratio_rate5m', 'of five minutes')],
          { red: 0.01 },
        ),
      ],
    },
    {
      title: 'What clients missed, or nearly',
      panels: [
        graph({ title: 'Came back with a cursor', unit: 'cps' }, [
          ask(perSecond('leque_resumes_total', 'outcome'), '{{outcome}}'),
        ]),
        graph({ title: 'Gaps filled from the history', unit: 'cps' }, [
          ask(perSecond('leque_gaps_filled_total'), 'gaps'),
          ask(perSecond('leque_gap_publications_total'), 'publications'),
        ]),
        graph({ title: 'Publications lost, and resyncs sent', unit: 'cps' }, [
          ask(perSecond('leque_resyncs_total'), 'channels'),
        ]),
        graph({ title: 'Slow clients', unit: 'cps' }, [
          ask(perSecond('leque_slow_consumers_total'), 'closed'),
          ask(perSecond('leque_messages_conflated_total'), 'conflated'),
          ask(perSecond('leque_messages_dropped_total'), 'dropped'),
          ask(perSecond('leque_live_messages_dropped_total'), 'live-only dropped'),
        ]),
        graph(
          { title: 'Processes that are ready', unit: 'short' },
          [ask('leque_ready', '{{job}} {{instance}}')],
          {
            max: 1,
          },
        ),
        graph({ title: 'Versions', unit: 'short' }, [
          ask('count by (version) (leque_build_info)', '{{version}}'),
        ]),
      ],
    },
  ],
});
