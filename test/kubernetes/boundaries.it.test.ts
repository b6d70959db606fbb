import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, hasRedisServer, SupervisedProcess } from '@leque/testkit';
import { expect, test } from 'vitest';
import { run, template, withHelm } from './helm.ts';
import { committed, find, type Manifest, ofKind, ROOT, readManifests } from './manifests.ts';

const SECRET = 'secrets.existingSecret=leque';
const REDIS = 'externalRedis.url=redis://redis:6379';
const PORT = 9464;

interface Rule {
  readonly ports: readonly { readonly port: number | string }[];
  readonly to?: readonly object[];
  readonly from?: readonly object[];
}

withHelm('a port for operators has a Service that stays inside, and is scraped', async () => {
  const text = await template(
    ...[SECRET, REDIS, 'serviceMonitor.enabled=true', 'ingress.enabled=true', 'ingress.host=a.b'],
    ...['ingress.publisher=true', 'gateway.service.type=LoadBalancer'],
    ...['gateway', 'publisher'].map((component) => `${component}.operationsPort=${PORT}`),
  );
  const manifests = readManifests(text);
  for (const component of ['leque-gateway', 'leque-publisher']) {
    const [container] = find(manifests, 'Deployment', component).spec.template.spec.containers;
    expect(container.ports).toContainEqual({ name: 'operations', containerPort: PORT });
    expect(find(manifests, 'ConfigMap', component).data['OPERATIONS_PORT']).toBe(String(PORT));
    const inside = find(manifests, 'Service', `${component}-operations`).spec;
    expect(inside).toMatchObject({ type: 'ClusterIP', ports: [{ targetPort: 'operations' }] });
    expect(find(manifests, 'Service', component).spec.ports).toHaveLength(1);
    const { endpoints } = find(manifests, 'ServiceMonitor', component).spec;
    expect(endpoints).toMatchObject([{ port: 'operations', path: '/metrics' }]);
    const policy = find(manifests, 'NetworkPolicy', component);
    expect(rulesOf(policy, 'ingress').flatMap(portsOf)).toEqual(['http', 'operations']);
  }
  const [{ http }] = find(manifests, 'Ingress', 'leque-publisher').spec.rules;
  expect(http.paths.map(({ path }: { path: string }) => path)).toEqual(['/api']);
});

withHelm('without a port for operators, metrics are scraped at the port for clients', async () => {
  const manifests = readManifests(await template(SECRET, REDIS, 'serviceMonitor.enabled=true'));
  const monitors = ofKind(manifests, 'ServiceMonitor');
  expect(monitors.map(({ spec }) => spec.endpoints[0].port)).toEqual(['http', 'http']);
  expect(ofKind(manifests, 'Service')).toHaveLength(2);
});

withHelm('the port for operators is open to `operationsFrom`, or `from` without it', async () => {
  const port = `gateway.operationsPort=${PORT}`;
  const from = 'networkPolicy.from[0].namespaceSelector.matchLabels.a=proxies';
  const operators = 'networkPolicy.operationsFrom[0].namespaceSelector.matchLabels.a=monitoring';
  const callersOf = async (...values: string[]) => {
    const manifests = readManifests(await template(SECRET, REDIS, port, ...values));
    const policy = find(manifests, 'NetworkPolicy', 'leque-gateway');
    const rule = rulesOf(policy, 'ingress').find((each) => portsOf(each).includes('operations'));
    return JSON.stringify(rule?.from ?? 'anybody');
  };
  expect(await callersOf()).toBe('"anybody"');
  expect(await callersOf(from)).toContain('proxies');
  expect(await callersOf(from, operators)).toMatch(/^(?!.*proxies).*monitoring/);
});

withHelm('pods open connections to named ports of named peers only', async () => {
  const text = await template(
    ...[SECRET, 'externalRedis.url=redis+sentinel://a:26380\\,b:26380/leque'],
    ...['config.JWKS_URL=https://id.example.com/keys'],
    ...['config.OTEL_EXPORTER_OTLP_ENDPOINT=http://collector.tracing:4318'],
  );
  const policies = ofKind(readManifests(text), 'NetworkPolicy');
  expect(policies).toHaveLength(2);
  for (const policy of policies) {
    const rules = rulesOf(policy, 'egress');
    expect(rules.map(portsOf)).toEqual([[53, 53], [6379, 26379, 26380], [443], [4318]]);
    for (const { to } of rules) expect(to).not.toHaveLength(0);
  }
});

test('no committed policy lets pods connect to any address', async () => {
  for (const set of ['default', 'gateway-api', 'one-replica', 'redis-cluster']) {
    for (const policy of ofKind(await committed(set), 'NetworkPolicy')) {
      for (const { to } of rulesOf(policy, 'egress')) {
        expect(to ?? [], `${set} ${policy.metadata.name}`).not.toHaveLength(0);
        // Clouds serve credentials at link-local addresses.
        expect(JSON.stringify(to)).not.toMatch(/"0\.0\.0\.0\/0"(?!,"except":\["169\.254)/);
      }
    }
  }
});

withHelm("each installation's own Redis has its own random password", async () => {
  const values = [SECRET, 'redis.enabled=true'] as const;
  const passwordOf = (text: string) => /^ {2}password: "([A-Za-z0-9]{32})"$/m.exec(text)?.[1];
  const texts = [await template(...values), await template(...values)];
  const [first, second] = texts.map(passwordOf);
  expect(first).toBeDefined();
  expect(first).not.toBe(second);
  const own = await template(...values, 'redis.existingSecret=mine');
  expect(passwordOf(own)).toBeUndefined();
  expect(own.match(/name: mine$/gm)).toHaveLength(3); // gateway, publisher and Redis
});

test.skipIf(!hasRedisServer())(
  "the chart's own Redis starts with its pod's command, and refuses clients without the password",
  async () => {
    await using folder = await temporaryFolder();
    const port = String(await freePorts(1));
    const { spec } = find(await committed('one-replica'), 'StatefulSet', 'leque-redis');
    const [{ command, args, readinessProbe }] = spec.template.spec.containers;
    const script = String(args[0])
      .replace('/etc/leque', `${ROOT}infra/redis`)
      .replace('/data', folder.path)
      .replace(' - <<', ` --port ${port} --bind 127.0.0.1 - <<`);
    const env = { PATH: process.env['PATH'] };
    const withPassword = { ...env, REDISCLI_AUTH: 'aPasswordOfThisTest' };
    await using redis = new SupervisedProcess([...command, script], { env: withPassword });
    const probe = async (variables: NodeJS.ProcessEnv) => {
      const [shell, flag, line] = readinessProbe.exec.command;
      const asked = String(line).replace('redis-cli', `redis-cli -p ${port}`);
      return await run(shell, [flag, asked], { env: variables, timeout: 5000 }).then(
        () => 'ready',
        () => 'not ready',
      );
    };
    await expect.poll(() => probe(withPassword), { timeout: 5000 }).toBe('ready');
    expect(await probe(env)).toBe('not ready');
    expect(await probe({ ...env, REDISCLI_AUTH: 'another' })).toBe('not ready');
    const { stdout } = await run('ps', ['-o', 'args=', '-p', String(redis.pid)]);
    expect(stdout).toContain('redis-server');
    expect(stdout).not.toContain('aPasswordOfThisTest');
  },
);

function rulesOf({ spec }: Manifest, direction: 'ingress' | 'egress'): readonly Rule[] {
  return spec[direction];
}

function portsOf({ ports }: Rule): (number | string)[] {
  return ports.map(({ port }) => port);
}

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'leque-kubernetes-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
