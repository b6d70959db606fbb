import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readGatewayConfig } from '@leque/gateway';
import { readPublisherConfig } from '@leque/publisher';
import { describe, expect, test } from 'vitest';
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
/** An image with a variable; Compose uses the default when `.env` has no value. */
const DEFAULT = /^\$\{\w+:-(.*)\}$/;
const imageOf = ({ image }: Service) => image.replace(DEFAULT, '$1');
const FOREIGN = Object.values(services)
  .map(imageOf)
  .filter((image) => !OWN.test(image));
const APPS = { gateway: readGatewayConfig, publisher: readPublisherConfig };

/** The environment of a container when there is no `.env`: `${NAME:-DEFAULT}` becomes its default. */
function environmentOf(service: string): Record<string, string> {
  const entries = Object.entries(services[service]?.environment ?? {});
  return Object.fromEntries(
    entries.map(([name, value]) => [name, String(value).replace(DEFAULT, '$1')]),
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

test('docker-compose.yml publishes ports on loopback only', () => {
  for (const { ports = [] } of Object.values(services)) {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  }
});

test('every foreign image has a version, and a variable that can add a digest', () => {
  for (const service of Object.values(services)) {
    if (OWN.test(service.image)) continue;
    expect(service.image).toMatch(DEFAULT);
    expect(imageOf(service)).toMatch(/:v?\d+\.\d+/);
  }
  const dockerfile = read('infra/docker/Dockerfile');
  const stages = [...dockerfile.matchAll(/^FROM (\S+) AS (\S+)$/gm)];
  const names = stages.map(([, , name]) => name);
  const bases = stages.map(([, base]) => base).filter((base) => !names.includes(base));
  expect(new Set(bases)).toEqual(new Set([`\${NODE_IMAGE}`]));
  expect(dockerfile.match(/^FROM /gm)).toHaveLength(stages.length);
  const [, base] = /^ARG NODE_IMAGE=(.+)$/m.exec(dockerfile) ?? [];
  expect(read('docker-compose.yml')).toContain(`NODE_IMAGE: "\${NODE_IMAGE:-${base}}"`);
});

describe('scripts/pin-images.mjs', () => {
  const DIGEST = `sha256:${'0a'.repeat(32)}`;
  const SCRIPT = fileURLToPath(new URL('scripts/pin-images.mjs', ROOT));
  const pin = (folder: string, ...args: string[]) => {
    const env = { PATH: `${folder}:${process.env['PATH']}` };
    return spawnSync(process.execPath, [SCRIPT, ...args], { env, encoding: 'utf8' });
  };
  /** A folder with a program `docker` that answers every inspection with these digests. */
  const folderWith = (digests: string) => {
    const path = mkdtempSync(join(tmpdir(), 'leque-images-'));
    const answer = `#!/bin/sh\necho '${digests}'\n`;
    writeFileSync(join(path, 'docker'), answer, { mode: 0o755 });
    return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
  };

  test('writes a line for every foreign image, and --check accepts these lines', () => {
    using folder = folderWith(`registry.example.com/x@${DIGEST}`);
    const { stdout } = pin(folder.path);
    for (const image of FOREIGN) expect(stdout).toContain(`_IMAGE=${image}@${DIGEST}\n`);
    expect(stdout).toMatch(/^NODE_IMAGE=node:24/m);
    const file = join(folder.path, 'pinned');
    writeFileSync(file, stdout);
    expect(pin(folder.path, '--check', file)).toMatchObject({ status: 0, stderr: '' });
    writeFileSync(file, stdout.replace(/^(REDIS_IMAGE=.*)@.*$/m, '$1'));
    const { status, stderr } = pin(folder.path, '--check', file);
    expect(status).toBe(1);
    expect(stderr).toContain('REDIS_IMAGE (redis:');
    expect(stderr).not.toContain('NGINX_IMAGE');
  });

  test('names an image that no registry has given a digest', () => {
    using folder = folderWith('');
    const { status, stderr } = pin(folder.path);
    expect(status).toBe(1);
    expect(stderr).toContain('does not come from a registry');
  });
});

test('stand-ins.sh builds every image that Debian has packages for', () => {
  const script = read('infra/docker/stand-ins.sh');
  const [, base] = /^ARG NODE_IMAGE=(.+)$/m.exec(read('infra/docker/Dockerfile')) ?? [];
  const foreign = FOREIGN.filter((image) => !image.startsWith('grafana/'));
  for (const image of [base, ...foreign]) expect(script).toContain(`build ${image} `);
});

test('stand-ins.sh takes the mirror of the machine and names no host', () => {
  const script = read('infra/docker/stand-ins.sh');
  expect(script).toContain('apt-get indextargets');
  expect(script).not.toMatch(/\w+:\/\//);
});

test('docker-compose.yml, the chart and the test kit use the same version of Redis', () => {
  const image = services['redis'] && imageOf(services['redis']);
  expect(read('infra/helm/leque/values.yaml')).toContain(`image: ${image}\n`);
  expect(read('packages/testkit/src/redis/redis-container.ts')).toContain(`'${image}'`);
});

test('nginx passes on /socket.io without a slash at its end, which it would redirect otherwise', () => {
  expect(read('infra/nginx/nginx.conf')).toMatch(/location \/socket\.io \{\s+proxy_pass/);
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
