import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { closedDoors, ROOMS } from '../../scripts/rooms.ts';

const root = join(import.meta.dirname, '../..');
const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');

/** Unique, so that two test runs in one working copy do not meet. */
const id = `planted-${randomBytes(4).toString('hex')}`;

interface Import {
  /** The file that is planted. */
  in: string;
  /** The module that it imports. */
  of: string;
  /** Only types are imported. */
  type?: true;
}

/** It takes two to make a cycle. */
const accomplice: Import = { in: `packages/core/src/${id}-b.ts`, of: `./${id}-a.ts` };

const offences: Record<string, Import> = {
  'no-cycles': { in: `packages/core/src/${id}-a.ts`, of: `./${id}-b.ts`, type: true },
  'everything-resolves': { in: `packages/core/src/${id}-undeclared.ts`, of: 'left-pad' },
  'everything-resolves (a driver that is not declared)': {
    in: `packages/broker-memory/src/${id}-undeclared.ts`,
    of: '@leque/broker-redis',
  },
  'protocol-imports-only-its-schema-library': {
    in: `packages/protocol/src/${id}.ts`,
    of: 'node:crypto',
  },
  'core-knows-no-driver (a library)': { in: `packages/core/src/${id}-redis.ts`, of: 'ioredis' },
  'core-does-no-io (the network)': { in: `packages/core/src/${id}-net.ts`, of: 'node:net' },
  'core-does-no-io (the disk)': { in: `packages/core/src/${id}-disk.ts`, of: 'node:fs' },
  'core-knows-no-driver (a driver)': {
    in: `packages/core/src/${id}-driver.ts`,
    of: '../../auth-jwt/src/index.ts',
    type: true,
  },
  'drivers-are-strangers': {
    in: `packages/transport-ws/src/${id}-stranger.ts`,
    of: '../../broker-memory/src/index.ts',
  },
  'packages-never-import-apps': {
    in: `packages/testkit/src/${id}.ts`,
    of: '../../../apps/gateway/src/index.ts',
  },
  'apps-are-strangers': { in: `apps/gateway/src/${id}.ts`, of: '../../publisher/src/index.ts' },
  'only-entry-points': {
    in: `packages/broker-memory/src/${id}-inside.ts`,
    of: `../../core/src/${id}-a.ts`,
  },
  'by-package-name': {
    in: `packages/broker-memory/src/${id}-path.ts`,
    of: '../../core/src/index.ts',
  },
  'testkit-in-tests-only': { in: `apps/publisher/src/${id}.ts`, of: '@leque/testkit' },
  'no-dev-dependency-in-production': {
    in: `apps/leque/src/${id}.ts`,
    of: 'vitest',
  },
};

/** Empty modules that the planted imports of the rooms lead to. */
const targets: string[] = [];
for (const part of Object.keys(ROOMS)) {
  for (const { room, closed } of closedDoors(part)) {
    const [above] = closed.filter((other) => !other.endsWith('.ts'));
    const target = above === undefined ? `${id}-top.ts` : `${above}/${id}-above.ts`;
    targets.push(`${part}/src/${target}`);
    offences[`rooms:${part}/${room}`] = {
      in: `${part}/src/${room}/${id}-room.ts`,
      of: `${room.replaceAll(/[^/]+/g, '..')}/${target}`,
    };
  }
}

const rightful: Record<string, Import & { resolved: string }> = {
  'a driver may import core': {
    in: `packages/broker-memory/src/${id}-core.ts`,
    of: '@leque/core',
    resolved: 'packages/core/src/index.ts',
  },
  'the leque command may import an app': {
    in: `apps/leque/src/${id}-app.ts`,
    of: '@leque/gateway',
    resolved: 'apps/gateway/src/index.ts',
  },
  'the leque command may import the testkit': {
    in: `apps/leque/src/${id}-testkit.ts`,
    of: '@leque/testkit',
    resolved: 'packages/testkit/src/index.ts',
  },
  'a test may import the testkit': {
    in: `apps/gateway/test/${id}.ts`,
    of: '@leque/testkit',
    resolved: 'packages/testkit/src/index.ts',
  },
  'types of a development dependency may be imported': {
    in: `apps/leque/src/${id}-types.ts`,
    of: 'vitest',
    type: true,
    resolved: expect.stringContaining('/node_modules/vitest/'),
  },
};

interface Report {
  modules: { source: string; dependencies: { resolved: string }[] }[];
  summary: {
    violations: { from: string; rule: { name: string } }[];
    ruleSetUsed: { forbidden: { name: string }[] };
  };
}

describe('walls', () => {
  let report: Report;

  beforeAll(async () => {
    const imports = [accomplice, ...Object.values(offences), ...Object.values(rightful)];
    await using planted = await plant(imports);
    report = await cruise(planted.files);
  });

  const rulesBrokenBy = (file: string) =>
    report.summary.violations.filter(({ from }) => from === file).map(({ rule }) => rule.name);

  test.for(Object.entries(offences))('walls: %s is enforced', ([title, offence]) => {
    const [rule] = title.split(' ');
    expect(rulesBrokenBy(offence.in)).toContain(rule);
  });

  test('walls: none stands without an offence against it', () => {
    const tried = Object.keys(offences).map((title) => title.split(' ')[0]);
    const standing = report.summary.ruleSetUsed.forbidden.map(({ name }) => name);
    expect(new Set(tried)).toEqual(new Set(standing));
  });

  test.for(Object.entries(rightful))('walls: %s', ([, { in: file, resolved }]) => {
    const module = report.modules.find(({ source }) => source === file);
    expect(module?.dependencies).toEqual([expect.objectContaining({ resolved })]);
    expect(rulesBrokenBy(file)).toEqual([]);
  });
});

async function plant(imports: Import[]): Promise<AsyncDisposable & { files: string[] }> {
  const files = [...new Set(targets), ...imports.map((each) => each.in)];
  const write = async (file: string, text: string) => {
    const path = join(root, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  };
  await Promise.all([
    ...targets.map((file) => write(file, 'export {};\n')),
    ...imports.map((each) =>
      write(each.in, `export ${each.type ? 'type ' : ''}* from '${each.of}';\n`),
    ),
  ]);
  const remove = (file: string) => rm(join(root, file), { force: true });
  return {
    files,
    [Symbol.asyncDispose]: async () => void (await Promise.all(files.map(remove))),
  };
}

async function cruise(files: string[]): Promise<Report> {
  const args = [cruiser, '--output-type', 'json', ...files];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: root,
    maxBuffer: 64 * 1024 * 1024,
    timeout: 25_000,
  });
  return JSON.parse(stdout);
}
