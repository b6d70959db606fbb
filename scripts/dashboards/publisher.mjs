import { ask, dashboard, graph, number } from './grafana.mjs';
import { PUBLISHERS, perSecond, quantile } from './queries.mjs';

const NODE = `{${PUBLISHERS},instance=~"$node"}`;
const of = (metric) => `${metric}${NODE}`;

export const publisher = dashboard({
  uid: 'leque-publisher',
  title: 'Leque: publishers',
  description: 'Events published over HTTP, and their outcome.',
  variables: [
    {
      name: 'node',
      label: 'Publisher',
      query: `label_values(leque_ready{${PUBLISHERS}}, instance)`,
    },
  ],
  rows: [
    {
      title: 'Now',
      panels: [
        number({ title: 'Events stored', unit: 'cps' }, perSecond(of('leque_events_stored_total'))),
        number(
          { title: 'Failed', unit: 'percentunit' },
          `sum(rate(${of('leque_events_failed_total')}[$__rate_interval])) / (sum(rate(${of('leque_events_failed_total')}[$__rate_interval])) + sum(rate(${of('leque_events_stored_total')}[$__rate_interval])))`,
          { red: 0.01 },
        ),
        number(
          { title: 'Redis, p99', unit: 's' },
          quantile(0.99, of('leque_publish_duration_seconds')),
          {
            red: 0.25,
          },
        ),
        number({ title: 'Requests', unit: 'reqps' }, perSecond(of('leque_http_requests_total'))),
        number(
          { title: 'Request, p99', unit: 's' },
          quantile(0.99, of('leque_http_request_duration_seconds')),
          {
            red: 0.5,
          },
        ),
        number({ title: 'Ready', unit: 'short' }, `sum(${of('leque_ready')})`, {
          red: { below: 1 },
        }),
      ],
    },
    {
      title: 'Events',
      panels: [
        graph({ title: 'What became of them', unit: 'cps' }, [
          ask(perSecond(of('leque_events_stored_total')), 'stored'),
          ask(perSecond(of('leque_events_live_total')), 'live only'),
          ask(perSecond(of('leque_events_duplicates_total')), 'known already'),
          ask(perSecond(of('leque_events_refused_total')), 'refused'),
          ask(perSecond(of('leque_events_failed_total')), 'failed'),
        ]),
        graph({ title: 'How long Redis took', unit: 's' }, [
          ask(quantile(0.5, of('leque_publish_duration_seconds')), 'p50'),
          ask(quantile(0.99, of('leque_publish_duration_seconds')), 'p99'),
        ]),
        graph({ title: 'Tokens and API keys', unit: 'cps' }, [
          ask(perSecond(of('leque_authentications_total'), 'outcome'), '{{outcome}}'),
        ]),
      ],
    },
    {
      title: 'Requests',
      panels: [
        graph({ title: 'By route', unit: 'reqps' }, [
          ask(perSecond(of('leque_http_requests_total'), 'method, route'), '{{method}} {{route}}'),
        ]),
        graph({ title: 'By status', unit: 'reqps' }, [
          ask(perSecond(of('leque_http_requests_total'), 'status'), '{{status}}'),
        ]),
        graph({ title: 'How long they took, p99', unit: 's' }, [
          ask(quantile(0.99, of('leque_http_request_duration_seconds'), 'route'), '{{route}}'),
        ]),
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
          [ask(of('nodejs_eventloop_utilization'), '{{instance}}')],
          { max: 1, red: 0.9 },
        ),
        graph({ title: 'Memory', unit: 'bytes' }, [
          ask(of('process_resident_memory_bytes'), '{{instance}}'),
        ]),
      ],
    },
  ],
});
