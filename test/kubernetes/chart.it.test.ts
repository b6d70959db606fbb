import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { startCluster, TEST_JWT_SECRET } from '@leque/testkit';
import { expect, test } from 'vitest';
import { CHART, helm, render, run, template, withHelm } from './helm.ts';
import { ROOT, readManifests } from './manifests.ts';
import { type Component, SECRET_VARIABLES, VARIABLES } from './pod-settings.ts';
import { problemsOf } from './schemas.ts';

/** Variables that the chart sets itself, from values of its own. */
const OWN = [
  ...['NODE_ENV', 'NODE_ID', 'PORT', 'OPERATIONS_PORT', 'DRAIN_GRACE', 'DRAIN_TIMEOUT'],
  'WEBSOCKET_MAX_CONNECTIONS',
  ...SECRET_VARIABLES,
];
test('values.schema.json knows every variable; `npm test -- -u` rewrites it', async () => {
  const file = `${CHART}/values.schema.json`;
  const schema = JSON.parse(await readFile(file, 'utf8'));
  const settable = (component: Component) =>
    VARIABLES[component].filter((name) => !OWN.includes(name)).sort();
  const shared = settable('gateway').filter((name) => VARIABLES.publisher.includes(name));
  Object.assign(schema.$defs, {
    sharedVariables: variables(shared, ['string', 'number', 'boolean']),
    gatewayVariables: variables(settable('gateway'), ['string', 'number', 'boolean']),
    publisherVariables: variables(settable('publisher'), ['string', 'number', 'boolean']),
    secretVariables: variables(SECRET_VARIABLES, 'string'),
  });
  await expect(`${JSON.stringify(schema, undefined, 2)}\n`).toMatchFileSnapshot(file);
});

test('copies of files in the chart equal their originals', async () => {
  const originals = [
    'redis/redis.conf',
    'prometheus/alerts.rules.yml',
    'prometheus/recording.rules.yml',
  ];
  for (const original of originals) {
    const copy = await readFile(`${CHART}/files/${basename(original)}`, 'utf8');
    expect(copy, original).toBe(await readFile(`${ROOT}infra/${original}`, 'utf8'));
  }
});

test('the smoke test sees a published event arrive, and fails with a wrong token', async () => {
  await using cluster = await startCluster({ gateways: 1 });
  const env = {
    PATH: process.env['PATH'],
    GATEWAY_URL: cluster.gateways[0]?.url,
    PUBLISHER_URL: cluster.publisher.url,
    JWT_SECRET: TEST_JWT_SECRET,
  };
  const smoke = (changes: object) =>
    run(process.execPath, [`${CHART}/files/smoke.mjs`], { env: { ...env, ...changes } });
  expect((await smoke({})).stdout).toContain('A published event has reached a client.');
  await expect(smoke({ JWT_SECRET: 'not-the-secret-of-this-cluster-at-all' })).rejects.toThrow(
    'WebSocket failed',
  );
});

withHelm('the committed manifests are what the chart renders', async () => {
  await using folder = await temporaryFolder();
  await run('sh', [`${ROOT}scripts/render-kubernetes.sh`, folder.path]);
  const names = await readdir(folder.path);
  expect(names).toEqual(
    (await readdir(`${ROOT}infra/k8s`)).filter((name) => name.endsWith('.yaml')),
  );
  for (const name of names) {
    expect(await readFile(join(folder.path, name), 'utf8'), name).toBe(
      await readFile(`${ROOT}infra/k8s/${name}`, 'utf8'),
    );
  }
});

withHelm('helm finds nothing wrong with the chart', async () => {
  for (const values of await readdir(`${CHART}/ci`)) {
    const { stdout } = await run(String(helm), [
      'lint',
      '--strict',
      CHART,
      '-f',
      `${CHART}/ci/${values}`,
    ]);
    expect(stdout).toContain('0 chart(s) failed');
  }
});

withHelm('all manifests of the chart are valid, its tests and its Secret included', async () => {
  const text = await template(
    'secrets.values.JWT_SECRET=a-secret-of-more-than-32-characters',
    'redis.enabled=true',
  );
  const manifests = readManifests(text);
  expect(manifests.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['Secret', 'Pod']));
  for (const manifest of manifests) {
    expect(problemsOf(manifest), `${manifest.kind} ${manifest.metadata.name}`).toEqual([]);
  }
});

withHelm('paths from outside begin with BASE_PATH, those of probes do not', async () => {
  const text = await template(
    SECRET,
    'config.BASE_PATH=/realtime',
    'ingress.enabled=true',
    'ingress.host=leque.test',
    'ingress.publisher=true',
    'gatewayApi.enabled=true',
    'gatewayApi.publisher=true',
    'gatewayApi.parentRefs[0].name=edge',
  );
  const routes = readManifests(text).filter(({ kind }) => /Ingress|HTTPRoute/.test(kind));
  const paths = JSON.stringify(routes).match(/"(path|value)":"[^"]*"/g) ?? [];
  expect(paths.length).toBeGreaterThan(8);
  for (const path of paths) expect(path).toMatch(/:"\/realtime\/(ws|socket\.io|api|docs|openapi)/);
  expect(text).toContain('path: /readyz');
});

withHelm('an image is named by its digest when there is one', async () => {
  const digest = `sha256:${'0a'.repeat(32)}`;
  const text = await template(SECRET, 'redis.enabled=true', `gateway.digest=${digest}`);
  expect(text).toMatch(new RegExp(`image: leque-gateway:\\d[\\w.]*@${digest}$`, 'm'));
  expect(text).toMatch(/image: leque-publisher:\d[\w.]*$/m);
});

withHelm('the chart scales by custom metrics where the cluster has them', async () => {
  const values = ['secrets.existingSecret=leque'] as const;
  expect(await template(...values)).not.toContain('leque_connections');
  const text = await render(values, ['--api-versions', 'custom.metrics.k8s.io/v1beta1']);
  expect(text).toContain('name: leque_connections');
});

withHelm(
  'the pod of `helm test` runs the smoke test, and stays for its logs to be read',
  async () => {
    const text = await template('secrets.existingSecret=leque', 'redis.enabled=true');
    const hooks = readManifests(text).filter(
      ({ metadata }) => metadata.annotations?.['helm.sh/hook'] === 'test',
    );
    // `helm test --logs` asks for the logs of a pod with the name of each hook.
    expect(hooks.map(({ kind }) => kind)).toEqual(['Pod']);
    const [pod] = hooks;
    expect(pod?.metadata.annotations?.['helm.sh/hook-delete-policy']).toBe('before-hook-creation');
    const { command, args } = pod?.spec.containers[0] ?? {};
    const script = await readFile(`${CHART}/files/smoke.mjs`, 'utf8');
    expect([...(command ?? []), ...(args ?? [])]).toEqual([
      ...['node', '--input-type=module', '--eval', script],
    ]);
    expect(script).not.toContain('$('); // Kubernetes would put a variable in its place
  },
);

withHelm('the runbooks of the alerts are where runbookBaseUrl says', async () => {
  const values = [
    'secrets.existingSecret=leque',
    'redis.enabled=true',
    'prometheusRule.enabled=true',
  ];
  const urlsOf = async (...more: string[]) =>
    [...(await template(...values, ...more)).matchAll(/runbook_url: (\S+)$/gm)].map(
      ([, url]) => url,
    );
  const paths = await urlsOf();
  expect(paths).toContain('docs/runbooks/LequeProcessDown.md');
  const base = 'https://example.com/leque';
  for (const value of [base, `${base}/`]) {
    expect(await urlsOf(`prometheusRule.runbookBaseUrl=${value}`)).toEqual(
      paths.map((path) => path?.replace('docs/runbooks', base)),
    );
  }
});

const SECRET = 'secrets.existingSecret=leque';
withHelm(
  'a variable of one app overrides the shared one, also when it is false, empty or 0',
  async () => {
    const text = await template(
      SECRET,
      'redis.enabled=true',
      'config.FIREHOSE=true',
      'gateway.config.FIREHOSE=false',
      'config.TRACE_JOURNAL_SIZE=1000',
      'gateway.config.TRACE_JOURNAL_SIZE=0',
      'config.CORS_ORIGIN=https://a',
      'gateway.config.CORS_ORIGIN=',
    );
    const told = (name: string) =>
      [...text.matchAll(new RegExp(`^  ${name}: (.*)$`, 'gm'))].map(([, value]) => value).sort();
    expect(told('FIREHOSE')).toEqual(['"off"', '"on"']);
    expect(told('TRACE_JOURNAL_SIZE')).toEqual(['"0"', '"1000"']);
    expect(told('CORS_ORIGIN')).toEqual(['""', '"https://a"']);
  },
);

withHelm('no pod gets a JWT_SECRET beside another way to verify tokens', async () => {
  const values = [SECRET, 'redis.enabled=true'] as const;
  expect(await template(...values)).toContain('key: JWT_SECRET');
  const text = await template(...values, 'config.JWKS_URL=https://id.example.com/keys');
  expect(text.split('# Source: leque/templates/tests')[0]).not.toContain('key: JWT_SECRET');
});

withHelm.for([
  ['no secret', [], 'a gateway has nothing to verify tokens with. Make a Secret'],
  ['a secret of publishers alone', ['publisher.existingSecret=x'], 'a gateway has nothing to'],
  ['a short secret', ['secrets.values.JWT_SECRET=short'], 'has less than 32 characters'],
  [
    'a short API key',
    [`secrets.values.JWT_SECRET=${'ab'.repeat(16)}`, 'secrets.values.PUBLISH_API_KEYS=short'],
    'has less than 20 characters',
  ],
  ['no Redis', ['config.JWKS_URL=https://id/keys'], 'no Redis. Set externalRedis.url'],
  ['two of them', [SECRET, 'redis.enabled=true', 'externalRedis.url=redis://r'], 'exclude each'],
  [
    'a client certificate without a Secret',
    [SECRET, 'externalRedis.url=rediss://r', 'externalRedis.tls.clientCertificate=true'],
    'needs externalRedis.tls.existingSecret',
  ],
  ['a password among the values', [SECRET, 'externalRedis.url=redis://a:b@r'], 'externalRedis'],
  [
    'a misspelt variable',
    [SECRET, 'gateway.config.OUTBOX_MAX_BYTE=1'],
    "additional properties 'OUTBOX_MAX_BYTE'",
  ],
  [
    'one of the other app',
    [SECRET, 'publisher.config.DRAIN_TIMEOUT=1'],
    "properties 'DRAIN_TIMEOUT'",
  ],
  [
    'a port for operators among the variables',
    [SECRET, 'config.OPERATIONS_PORT=9464'],
    "additional properties 'OPERATIONS_PORT'",
  ],
  ['egress to nowhere', [SECRET, 'networkPolicy.dns.to=null'], 'networkPolicy'],
  ['a rollout that can never begin', [SECRET, 'gateway.rollout.maxSurge=0'], 'maxSurge'],
  ['a misspelt value', [SECRET, 'gateway.replicas=3'], 'replicas'],
  ['runbooks at no URL', [SECRET, 'prometheusRule.runbookBaseUrl=docs'], 'runbookBaseUrl'],
  ['a grace too short', [SECRET, 'gateway.drain.graceSeconds=5'], 'is 5, but it takes 10 s until'],
  ['an ingress for nobody', [SECRET, 'ingress.enabled=true'], 'ingress.host is needed'],
  ['a route from nowhere', [SECRET, 'gatewayApi.enabled=true'], 'gatewayApi.parentRefs'],
] as const)('%s is refused with a sentence', async ([, values, reason]) => {
  await expect(template(...values)).rejects.toThrow(reason);
});

function variables(names: readonly string[], type: string | readonly string[]) {
  const properties = Object.fromEntries(names.map((name) => [name, { type }]));
  return { type: 'object', additionalProperties: false, properties };
}

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'leque-kubernetes-'));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
