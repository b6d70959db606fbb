import { HTTPRoute } from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/HTTPRoute';
import { PrometheusRule } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule';
import { ServiceMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1/Ingress';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Pod } from 'kubernetes-models/v1/Pod';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';

interface Problem {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: unknown;
}

/** Models of Kubernetes and of two extensions, each with the compiled schema of its kind. */
const MODELS = [
  ...[ConfigMap, Deployment, HorizontalPodAutoscaler, HTTPRoute, Ingress, NetworkPolicy, Pod],
  ...[
    PodDisruptionBudget,
    Secret,
    Service,
    ServiceAccount,
    ServiceMonitor,
    PrometheusRule,
    StatefulSet,
  ],
];

/** The problems that a Kubernetes server would report, unknown fields included. */
export function problemsOf(manifest: { apiVersion: string; kind: string }): string[] {
  const { apiVersion, kind } = manifest;
  const model = MODELS.find((each) => each.apiVersion === apiVersion && each.kind === kind);
  if (model === undefined) return [`there is no schema of ${apiVersion} ${kind}`];
  const unknown = new Set<string>();
  const errors = errorsOf(() => model.prototype.validate.call(watched(manifest, '', unknown)));
  return [
    ...errors.map(
      ({ instancePath, keyword, params }) =>
        `${instancePath}: ${keyword} ${JSON.stringify(params)}`,
    ),
    ...[...unknown].map((path) => `${path}: no such field`),
  ];
}

function errorsOf(validate: () => void): readonly Problem[] {
  try {
    validate();
    return [];
  } catch (error) {
    if (error instanceof Error && 'errors' in error) return error.errors as Problem[];
    throw error;
  }
}

/**
 * The schemas let unknown fields pass. A validator has looked at every field that its schema has,
 * so that what it never looked at is unknown.
 */
function watched(value: unknown, path: string, unseen: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  for (const key of Object.keys(value)) unseen.add(`${path}/${key}`);
  return new Proxy(value, {
    get(target, key, receiver) {
      const field: unknown = Reflect.get(target, key, receiver);
      if (typeof key !== 'string' || !Object.hasOwn(target, key)) return field;
      unseen.delete(`${path}/${key}`);
      return watched(field, `${path}/${key}`, unseen);
    },
  });
}
