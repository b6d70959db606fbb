import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { committed, find, type Manifest, ofKind, ROOT } from './manifests.ts';
import { environmentOf, PARTS, podStopTimeoutMs, VARIABLES } from './pod-settings.ts';
import { danglingReferences, idleSelectors } from './references.ts';
import { problemsOf } from './schemas.ts';

const SETS = readdirSync(`${ROOT}infra/helm/leque/ci`).map((file) =>
  file.replace(/-values\.yaml$/, ''),
);
const COMPONENTS = ['gateway', 'publisher'] as const;
/** Until every proxy has heard of an endpoint that is no more. */
const PROPAGATION_S = 4;

describe.each(SETS)('infra/k8s/%s.yaml', (set) => {
  test('is valid against the schemas of Kubernetes, and has no field that they do not know', async () => {
    for (const manifest of await committed(set)) {
      expect(problemsOf(manifest), `${manifest.kind} ${manifest.metadata.name}`).toEqual([]);
    }
  });

  test('refers only to existing objects and pods', async () => {
    const manifests = await committed(set);
    expect([...danglingReferences(manifests), ...idleSelectors(manifests)]).toEqual([]);
  });

  test('gives pods only variables that their app knows', async () => {
    const manifests = await committed(set);
    for (const component of COMPONENTS) {
      const env = environmentOf(manifests, component);
      const known = [...VARIABLES[component], ...PARTS];
      expect(Object.keys(env).filter((name) => !known.includes(name))).toEqual([]);
    }
  });

  test('kills a pod only after its drain, and drains it only when it gets no new clients', async () => {
    const manifests = await committed(set);
    for (const component of COMPONENTS) {
      const { spec } = find(manifests, 'Deployment', `leque-${component}`);
      const pod = spec.template.spec;
      const env = environmentOf(manifests, component);
      expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(
        podStopTimeoutMs(component, env),
      );
      const { periodSeconds, failureThreshold } = pod.containers[0].readinessProbe;
      const grace = Number(env['DRAIN_GRACE']);
      expect(grace).toBeGreaterThanOrEqual(periodSeconds * failureThreshold + PROPAGATION_S);
      // A Deployment does not wait for pods that end: this makes it replace one at a time.
      expect(spec.minReadySeconds).toBeGreaterThanOrEqual(
        grace + Number(env['DRAIN_TIMEOUT'] ?? 0),
      );
      expect(spec.progressDeadlineSeconds).toBeGreaterThan(spec.minReadySeconds);
      expect(spec.strategy.rollingUpdate.maxUnavailable).toBe(0);
    }
  });

  test('runs nothing as root, on a writable root file system, or with a token', async () => {
    for (const { spec } of ofKind(await committed(set), 'Deployment', 'StatefulSet')) {
      const pod = spec.template.spec;
      const [container] = pod.containers;
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(container).toMatchObject({
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        resources: { requests: { cpu: /./, memory: /./ }, limits: { memory: /./ } },
      });
    }
  });
});

test('the checker finds fields and values that are wrong', async () => {
  const manifest = structuredClone(find(await committed('default'), 'Deployment', 'leque-gateway'));
  manifest.spec.strategy.type = 'Rolling';
  manifest.spec.template.spec.containers[0].readynessProbe = {};
  manifest.spec.replicas = 'three';
  expect(problemsOf(manifest)).toEqual([
    expect.stringContaining('/spec/replicas: type'),
    expect.stringContaining('/spec/strategy/type: enum'),
    '/spec/template/spec/containers/0/readynessProbe: no such field',
  ]);
});

test('scales gateways by connections and event loop where there are custom metrics, and by CPU', async () => {
  expect(metricsOf(await committed('default'))).toEqual(['cpu']);
  expect(metricsOf(await committed('redis-cluster'))).toEqual([
    'leque_connections',
    'nodejs_eventloop_utilization',
    'cpu',
  ]);
  const fixed = await committed('autoscaling-off');
  expect(ofKind(fixed, 'HorizontalPodAutoscaler')).toEqual([]);
  expect(find(fixed, 'Deployment', 'leque-gateway').spec.replicas).toBe(6);
  // Else every `kubectl apply` would undo what the autoscaler has done.
  expect(find(await committed('default'), 'Deployment', 'leque-gateway').spec).not.toHaveProperty(
    'replicas',
  );
});

test('the Prometheus adapter has a rule for every custom metric that scales gateways', async () => {
  const text = await readFile(`${ROOT}infra/helm/prometheus-adapter-values.yaml`, 'utf8');
  const rules: { seriesQuery: string }[] = parse(text).rules.custom;
  const known = rules.map(({ seriesQuery }) => seriesQuery.replace(/\{.*/, ''));
  expect([...known, 'cpu']).toEqual(metricsOf(await committed('redis-cluster')));
});

test('one replica does not block the draining of a machine, and only its apps reach its Redis', async () => {
  const manifests = await committed('one-replica');
  expect(find(manifests, 'PodDisruptionBudget', 'leque-gateway').spec.maxUnavailable).toBe(1);
  expect(environmentOf(manifests, 'gateway')['REDIS_URL']).toBe(
    'redis://:leque-pod-1@leque-redis:6379', // the password of the Secret
  );
  const { ingress, egress } = find(manifests, 'NetworkPolicy', 'leque-redis').spec;
  expect(ingress[0].from).toHaveLength(2);
  expect(egress).toEqual([]);
});

test('with a Redis Cluster each app has its own Secret, and large numbers are not rewritten', async () => {
  const manifests = await committed('redis-cluster');
  const secretOf = (name: string) =>
    find(manifests, 'Deployment', name).spec.template.spec.containers[0].env.find(
      (variable: { name: string }) => variable.name === 'REDIS_URL',
    ).valueFrom.secretKeyRef;
  expect(secretOf('leque-gateway')).toEqual({ name: 'leque-gateway', key: 'REDIS_URL' });
  expect(secretOf('leque-publisher')).toEqual({ name: 'leque-publisher', key: 'REDIS_URL' });
  expect(environmentOf(manifests, 'gateway')).toMatchObject({
    OUTBOX_MAX_BYTES: '2097152',
    FIREHOSE: 'off',
  });
});

test('only the paths of clients are reachable from outside', async () => {
  const route = find(await committed('gateway-api'), 'HTTPRoute', 'leque');
  const ingresses = ofKind(await committed('redis-cluster'), 'Ingress');
  const paths = [
    ...route.spec.rules.flatMap(({ matches }: { matches: { path: { value: string } }[] }) =>
      matches.map(({ path }) => path.value),
    ),
    ...ingresses.flatMap(({ spec }) =>
      spec.rules[0].http.paths.map(({ path }: { path: string }) => path),
    ),
  ];
  expect([...new Set(paths)].sort()).toEqual(['/socket.io', '/ws']);
});

test('npm run drill:rolling drains as the chart does', async () => {
  const env = environmentOf(await committed('default'), 'gateway');
  const { scripts } = JSON.parse(await readFile(`${ROOT}package.json`, 'utf8'));
  expect(scripts['drill:rolling']).toContain(
    `--set DRAIN_GRACE=${env['DRAIN_GRACE']} --set DRAIN_TIMEOUT=${env['DRAIN_TIMEOUT']}`,
  );
});

function metricsOf(manifests: readonly Manifest[]): string[] {
  const { metrics } = find(manifests, 'HorizontalPodAutoscaler', 'leque-gateway').spec;
  return metrics.map(
    (metric: { pods?: { metric: { name: string } }; containerResource?: { name: string } }) =>
      metric.pods?.metric.name ?? metric.containerResource?.name,
  );
}
