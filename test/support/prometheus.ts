import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PeerProcess } from '@leque/lab';
import { freePorts } from '@leque/testkit';

const PROBE_TIMEOUT_MS = 10_000;
const QUERY_TIMEOUT_MS = 10_000;
const RULES = join(import.meta.dirname, '../../infra/prometheus/*.rules.yml');

/** The addresses (host:port) of each job. */
export type Targets = Readonly<Record<string, readonly string[]>>;

/** One series of a query result. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

export function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version'], { timeout: PROBE_TIMEOUT_MS }).status === 0;
}

/** A real Prometheus that scrapes every second, with our rules. */
export class Prometheus implements AsyncDisposable {
  readonly #url: string;
  readonly #owned: AsyncDisposableStack;

  private constructor(url: string, owned: AsyncDisposableStack) {
    this.#url = url;
    this.#owned = owned;
  }

  static async start(targets: Targets): Promise<Prometheus> {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'leque-prometheus-'));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const config = join(folder, 'prometheus.yml');
    await writeFile(config, JSON.stringify(configOf(targets))); // JSON is YAML
    const port = await freePorts(1);
    const address = `127.0.0.1:${port}`;
    const flags = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`];
    const command = ['prometheus', ...flags, `--web.listen-address=${address}`] as const;
    stack.use(await PeerProcess.start(command, { port, settings: {} }));
    return new Prometheus(`http://${address}`, stack.move());
  }

  /** @throws Error with Prometheus's own message when the expression is invalid */
  async ask(expression: string): Promise<readonly Sample[]> {
    const query = new URLSearchParams({ query: expression });
    const signal = AbortSignal.timeout(QUERY_TIMEOUT_MS);
    const response = await fetch(`${this.#url}/api/v1/query?${query}`, { signal });
    const answer = (await response.json()) as {
      readonly error?: string;
      readonly data?: { readonly result: readonly Sample[] };
    };
    if (answer.data === undefined) throw new Error(`${expression}: ${answer.error}`);
    return answer.data.result;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned.disposeAsync();
  }
}

function configOf(targets: Targets) {
  return {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [RULES],
    scrape_configs: Object.entries(targets).map(([job, addresses]) => ({
      job_name: job,
      static_configs: [{ targets: addresses }],
    })),
  };
}
