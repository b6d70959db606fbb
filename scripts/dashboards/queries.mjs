// Queries that several dashboards share.

export const GATEWAYS = 'job="leque-gateway"';
export const PUBLISHERS = 'job="leque-publisher"';

export const perSecond = (metric, by = '') =>
  `sum${by && ` by (${by}) `}(rate(${metric}[$__rate_interval]))`;

/** @param metric with its labels, before `_bucket`; as `name{labels}` */
export function quantile(share, metric, by = '') {
  const [, name, labels = ''] = /^([a-z_]+)(\{.*\})?$/.exec(metric);
  const grouped = ['le', by].filter(Boolean).join(', ');
  return `histogram_quantile(${share}, sum by (${grouped}) (rate(${name}_bucket${labels}[$__rate_interval])))`;
}

/** The average of a histogram's observations. */
export function mean(metric) {
  const [, name, labels = ''] = /^([a-z_]+)(\{.*\})?$/.exec(metric);
  const sum = (end) => `sum(rate(${name}_${end}${labels}[$__rate_interval]))`;
  return `${sum('sum')} / ${sum('count')}`;
}
