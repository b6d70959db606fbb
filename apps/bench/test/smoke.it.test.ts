import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { descendantsOf, isAlive } from '@leque/lab';
import { RunningProcess } from '@leque/testkit';
import { describeOnOwnRedis } from '@leque/testkit/contracts';
import { expect, test } from 'vitest';
import type { Results } from '../src/results/results.ts';

const ENTRY = 'apps/leque/src/main.ts';
const TIMEOUT_MS = 120_000;

describeOnOwnRedis('leque bench', () => {
  test(
    '--smoke loses nothing, uses the direct path, and writes its results',
    async () => {
      await using folder = await temporaryFolder();
      await using running = new RunningProcess(
        ENTRY,
        ['bench', '--smoke', '--out', folder.path],
        {},
      );
      const { code } = await running.exited;
      expect(running.output).not.toContain('FAILED');
      expect(code, running.output).toBe(0);
      const { schema, workloads } = await resultsIn(folder.path);
      expect(schema).toBe(1);
      const cases = workloads.flatMap((workload) => workload.cases);
      expect(cases.map(({ setup }) => setup)).toEqual([
        'raw',
        'Socket.IO',
        'single events',
        'batches of 100',
      ]);
      for (const { runs } of cases) expect(runs).toHaveLength(1);
      const page = await readFile(join(folder.path, 'report.html'), 'utf8');
      expect(page).toContain('</html>');
      expect(page).not.toMatch(/(src|href)="(?!#)/); // nothing from elsewhere
    },
    TIMEOUT_MS,
  );

  test(
    'ends its children and keeps its results when it is interrupted',
    async () => {
      await using folder = await temporaryFolder();
      await using running = new RunningProcess(
        ENTRY,
        ['bench', '--smoke', '--seconds', '60', '--out', folder.path],
        {},
      );
      const children = () => descendantsOf(running.pid);
      // Redis and its shells, and then the gateway and the load.
      await expect.poll(() => children().length, { timeout: 30_000 }).toBeGreaterThan(6);
      const before = children();
      process.kill(running.pid, 'SIGINT'); // twice, as npm passes on what the terminal sends
      const { code } = await running.stop('SIGTERM');
      expect(code, running.output).toBe(130);
      await expect.poll(() => before.filter(isAlive)).toEqual([]);
      expect(await resultsIn(folder.path)).toMatchObject({ interrupted: true });
    },
    TIMEOUT_MS,
  );
});

async function resultsIn(folder: string): Promise<Results> {
  return JSON.parse(await readFile(join(folder, 'results.json'), 'utf8'));
}

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'leque-bench-test-'));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
