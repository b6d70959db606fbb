import { readFileSync } from 'node:fs';
import { readGatewayConfig } from '@leque/gateway';
import { readPublisherConfig } from '@leque/publisher';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const ROOT = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');

interface Service {
  readonly image: string;
  readonly ports?: readonly string[];
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly stop_grace_period?: string;
}
const { services } = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Readonly<Record<string, Service>>;
};
const OWN = /^leque(-gateway|-publisher)?$/;
const APPS = { gateway: readGatewayConfig, publisher: readPublisherConfig };

/** The environment of a container when there is no `.env`: `${NAME:-DEFAULT}` becomes its default. */
function environmentOf(service: string): Record<string, string> {
  const entries = Object.entries(services[service]?.environment ?? {});
  return Object.fromEntries(
    entries.map(([name, value]) => [name, String(value).replace(/^\$\{\w+:-(.*)\}$/, '$1')]),
  );
}

for (const [name, readConfig] of Object.entries(APPS)) {
  test(`docker-compose.yml sets only variables that the ${name} knows`, () => {
    const env = environmentOf(name);
    const config = readConfig({ ...env, NODE_ENV: 'production' });
    expect(Object.keys(env).filter((variable) => env[variable] && !(variable in config))).toEqual(
      [],
    );
  });

  test(`docker-compose.yml gives the ${name} enough time to drain before it is killed`, () => {
    const { DRAIN_GRACE = 0, DRAIN_TIMEOUT = 0 } = services[name]?.environment ?? {};
    const graceS = Number(/^(\d+)s$/.exec(services[name]?.stop_grace_period ?? '')?.[1]);
    expect(graceS).toBeGreaterThanOrEqual(Number(DRAIN_GRACE) + Number(DRAIN_TIMEOUT) + 10);
  });
}

test('docker-compose.yml publishes ports on loopback only and pins every image', () => {
  for (const { image, ports = [] } of Object.values(services)) {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    if (!OWN.test(image)) expect(image).toMatch(/:v?\d+\.\d+/);
  }
});

test('stand-ins.sh builds every image that Debian has packages for', () => {
  const script = read('infra/docker/stand-ins.sh');
  const [, base] = /^ARG NODE_IMAGE=(.+)$/m.exec(read('infra/docker/Dockerfile')) ?? [];
  const foreign = Object.values(services)
    .map(({ image }) => image)
    .filter((image) => !OWN.test(image) && !image.startsWith('grafana/'));
  for (const image of [base, ...foreign]) expect(script).toContain(`build ${image} `);
});

test('stand-ins.sh takes the mirror of the machine and names no host', () => {
  const script = read('infra/docker/stand-ins.sh');
  expect(script).toContain('apt-get indextargets');
  expect(script).not.toMatch(/\w+:\/\//);
});

test('docker-compose.yml, the chart and the test kit use the same version of Redis', () => {
  const image = services['redis']?.image;
  expect(read('infra/helm/leque/values.yaml')).toContain(`image: ${image}\n`);
  expect(read('packages/testkit/src/redis/redis-container.ts')).toContain(`'${image}'`);
});

test('nginx has a longer timeout than the heartbeat interval, and the body limit of the servers', () => {
  const nginx = read('infra/nginx/nginx.conf');
  const gateway = readGatewayConfig(environmentOf('gateway'));
  const publisher = readPublisherConfig(environmentOf('publisher'));
  for (const [, path = '', rules = ''] of nginx.matchAll(/location (\/\S*) \{([^}]*)\}/g)) {
    if (path !== '/') expect(rules).toContain('proxy_read_timeout 1h;');
  }
  expect(gateway.WEBSOCKET_HEARTBEAT_INTERVAL).toBeLessThan(3600);
  expect(nginx).toContain(`client_max_body_size ${publisher.MAX_BATCH_SIZE / 1024 ** 2}m;`);
});
