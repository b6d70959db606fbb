import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PeerProcess, RawClient, SocketClient, tokenFor } from '@leque/lab';
import { freePorts, startCluster, startRedis, TEST_API_KEY } from '@leque/testkit';
import { describe, expect, test } from 'vitest';
import { isInstalled, Prometheus, type Sample } from '../support/prometheus.ts';

const ROOT = join(import.meta.dirname, '../..');
const RULES = join(ROOT, 'infra/prometheus');
const DASHBOARDS = join(ROOT, 'infra/grafana/dashboards');
const RUNBOOKS = join(ROOT, 'docs/runbooks');
const OBSERVABILITY = join(ROOT, 'docs/observability.md');
const EXPORTER = 'prometheus-redis-exporter';
const TOOLS_MISSING = !['prometheus', 'promtool', EXPORTER].every(isInstalled);
/** The values that Grafana substitutes in a graph of the last minutes. */
const VARIABLES: Readonly<Record<string, string>> = {
  $__rate_interval: '5s',
  $__interval: '5s',
  $node: '.*',
};

function runbooks(): string[] {
  return readdirSync(RUNBOOKS).filter((file) => file !== 'README.md');
}

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

interface Question {
  readonly panel: string;
  readonly expression: string;
}

const dashboards = readdirSync(DASHBOARDS);

test('every dashboard matches its description (`npm run dashboards` rewrites them)', async () => {
  const described = await import(join(ROOT, 'scripts/dashboards/dashboards.mjs'));
  const expected = described.dashboards as readonly (readonly [file: string, text: string])[];
  expect(dashboards.sort()).toEqual(expected.map(([file]) => file).sort());
  for (const [file, text] of expected) expect(read(join(DASHBOARDS, file))).toBe(text);
});

test('every dashboard has an up-to-date picture in the docs (`npm run pictures` redraws them)', () => {
  const page = read(join(ROOT, 'docs/observability.md'));
  for (const file of dashboards) {
    const picture = `pictures/${file.replace(/json$/, 'svg')}`;
    expect(page).toContain(`](${picture})`);
    const { panels } = JSON.parse(read(join(DASHBOARDS, file))) as { panels: readonly Panel[] };
    const drawn = read(join(ROOT, 'docs', picture));
    expect(panels.filter(({ title }) => !drawn.includes(`>${title}<`))).toEqual([]);
  }
});

test('alerts and runbooks correspond one to one, and every metric in them exists', () => {
  const rules = read(join(RULES, 'alerts.rules.yml')) + read(join(RULES, 'recording.rules.yml'));
  const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  const pages = runbooks();
  expect(pages.sort()).toEqual(alerts.map((name) => `${name}.md`).sort());
  for (const name of alerts) expect(rules).toContain(`runbook_url: docs/runbooks/${name}.md`);
  const known = read(join(ROOT, 'docs/metrics.md'));
  const texts = [...pages.map((page) => join(RUNBOOKS, page)), OBSERVABILITY].map(read);
  const asked = `${rules}${texts.join()}`;
  const metrics = asked.match(/\b(?:leque|nodejs|process)_[a-z_0-9]+\b/g) ?? [];
  const unknown = metrics.map((name) => name.replace(/_(?:bucket|sum|count)$/, ''));
  expect([...new Set(unknown)].filter((name) => !known.includes(`\`${name}\``))).toEqual([]);
});

const HEADINGS = ['What it means', 'What to look at', 'Queries and commands', 'What to do'];

test('each runbook has queries and commands to paste, a panel to look at, and an end', () => {
  const panels = new Map(
    dashboards.map((file) => {
      const { panels } = JSON.parse(read(join(DASHBOARDS, file))) as { panels: readonly Panel[] };
      return [file.replace(/\.json$/, ''), panels.map(({ title }) => title)];
    }),
  );
  for (const page of runbooks()) {
    const text = read(join(RUNBOOKS, page));
    const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    expect(headings, page).toEqual([...HEADINGS, 'It is over when']);
    const [, panel, dashboard = ''] = /Panel "(.*)" of the dashboard \[([\w-]+)\]/.exec(text) ?? [];
    expect(panels.get(dashboard), page).toContain(panel);
    expect(text, page).toMatch(/^```sh\n/m);
  }
});

test.skipIf(TOOLS_MISSING)(
  'promtool reads each query of runbooks and of the page on observability (skipped without promtool)',
  { timeout: 60_000 },
  async () => {
    const pages = [...runbooks().map((page) => join(RUNBOOKS, page)), OBSERVABILITY];
    const queries = pages.flatMap((page) =>
      [...read(page).matchAll(/^```promql\n(.*?)^```/gms)].flatMap(([, block = '']) =>
        block.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#')),
      ),
    );
    expect(queries.length).toBeGreaterThan(runbooks().length);
    const rules = queries.map((query, index) => ({ record: `q:${index}`, expr: query }));
    const folder = await mkdtemp(join(tmpdir(), 'leque-rules-'));
    try {
      const file = join(folder, 'queries.yml');
      await writeFile(file, JSON.stringify({ groups: [{ name: 'queries', rules }] })); // JSON is YAML
      const options = { encoding: 'utf8', timeout: 60_000 } as const;
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', file], options);
      expect(status, stdout + stderr).toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);

test.skipIf(TOOLS_MISSING)(
  'promtool confirms that each alert fires on its condition only (skipped without promtool)',
  { timeout: 60_000 },
  () => {
    const run = (...args: string[]) =>
      spawnSync('promtool', args, { cwd: RULES, encoding: 'utf8', timeout: 60_000 });
    const checked = run('check', 'rules', 'alerts.rules.yml', 'recording.rules.yml');
    expect(checked.stdout + checked.stderr).not.toMatch(/FAILED/);
    const tested = run('test', 'rules', 'alerts.test.yml');
    expect(tested.stdout + tested.stderr).toMatch(/SUCCESS/);
    expect(tested.status).toBe(0);
  },
);

test('each alert has a test in which it fires and a test in which it is quiet', () => {
  const rules = read(join(RULES, 'alerts.rules.yml'));
  const tests = read(join(RULES, 'alerts.test.yml'));
  for (const [, name] of rules.matchAll(/- alert: (\w+)/g)) {
    expect(tests).toContain(`name: ${name} fires`);
    expect(tests).toContain(`name: ${name} is quiet`);
  }
});

describe.skipIf(TOOLS_MISSING)('a real Prometheus (skipped where none is installed)', () => {
  test('returns data for every query of every dashboard', { timeout: 90_000 }, async () => {
    await using redis = await startRedis();
    await using cluster = await startCluster({ gateways: 2, env: { REDIS_URL: redis.url } });
    await using exporter = await startExporter(redis.url);
    const hosts = (urls: readonly string[]) => urls.map((url) => new URL(url).host);
    await using prometheus = await Prometheus.start({
      'leque-gateway': hosts([cluster.url(0), cluster.url(1)]),
      'leque-publisher': hosts([cluster.publisher.url]),
      redis: [exporter.address],
    });
    const questions = dashboards.flatMap(questionsOf);
    expect(questions.length).toBeGreaterThan(80);
    const unanswered = async () => {
      await makeTraffic(cluster);
      const open: string[] = [];
      for (const { panel, expression } of questions) {
        if (!hasNumber(await prometheus.ask(expression))) open.push(`${panel}: ${expression}`);
      }
      return open;
    };
    await expect.poll(unanswered, { timeout: 60_000, interval: 500 }).toEqual([]);
  });
});

function read(file: string): string {
  return readFileSync(file, 'utf8');
}

function questionsOf(file: string): Question[] {
  const { title, panels } = JSON.parse(read(join(DASHBOARDS, file))) as {
    readonly title: string;
    readonly panels: readonly Panel[];
  };
  return panels.flatMap((panel) =>
    (panel.targets ?? []).map(({ expr }) => ({
      panel: `${title}: ${panel.title}`,
      expression: Object.entries(VARIABLES).reduce(
        (text, [name, value]) => text.replaceAll(name, value),
        expr,
      ),
    })),
  );
}

/** A panel that shows only `NaN` counts as empty. */
function hasNumber(samples: readonly Sample[]): boolean {
  return samples.some(({ value: [, value] }) => Number.isFinite(Number(value)));
}

/** Connects, publishes, is refused and disconnects over both protocols, so that every metric has a value. */
async function makeTraffic(cluster: Awaited<ReturnType<typeof startCluster>>): Promise<void> {
  const options = { token: tokenFor('alice', { projects: ['P'] }) };
  for (const node of [0, 1]) {
    const url = cluster.url(node);
    await using raw = await RawClient.connect(`${url}/ws/project/P`, options);
    await using socket = await SocketClient.connect(url, options);
    await raw.ask({ action: 'dance' });
    await publish(cluster.publisher.url, { type: 'note', data: {}, project_id: 'P' });
    await publish(cluster.publisher.url, {
      type: 'task.created',
      data: { task_id: 't' },
      user_id: 'alice',
    });
    await expect.poll(() => raw.events.some(({ type }) => type === 'note')).toBe(true);
    await RawClient.refusal(`${url}/ws/project/P`, { token: 'wrong' });
    expect(socket.socket.connected).toBe(true);
  }
}

async function publish(url: string, event: object): Promise<void> {
  await fetch(`${url}/api/publish`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_API_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(event),
  });
}

async function startExporter(redisUrl: string) {
  const port = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const flags = [`--redis.addr=${redisUrl}`, `--web.listen-address=${address}`];
  const exporter = await PeerProcess.start([EXPORTER, ...flags], { port, settings: {} });
  return { address, [Symbol.asyncDispose]: () => exporter[Symbol.asyncDispose]() };
}
