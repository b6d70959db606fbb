import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { descendantsOf, isAlive } from '@leque/lab';
import { RunningProcess } from '@leque/testkit';
import { describeOnOwnRedis } from '@leque/testkit/contracts';
import { expect, test } from 'vitest';

const ENTRY = 'apps/leque/src/main.ts';
const TIMEOUT_MS = 240_000;

interface Result {
  readonly scenario: string;
  readonly events: number;
  readonly findings: { readonly deliveries: number };
}

describeOnOwnRedis('leque verify', () => {
  test(
    '[ORD] [DUP] [GAP] [ACK] [ISO] [CNT] --short finds no violation under faults',
    async () => {
      await using folder = await temporaryFolder();
      const args = ['verify', '--short', '--seed', '1', '--out', folder.path];
      await using running = new RunningProcess(ENTRY, args, {});
      const { code } = await running.exited;
      expect(code, running.output).toBe(0);
      const results: Result[] = JSON.parse(
        await readFile(join(folder.path, 'results.json'), 'utf8'),
      );
      for (const { scenario, events, findings } of results) {
        expect(events, scenario).toBeGreaterThan(100);
        expect(findings.deliveries, scenario).toBeGreaterThan(1000);
      }
    },
    TIMEOUT_MS,
  );

  test(
    'ends its child processes when it is interrupted',
    async () => {
      await using running = new RunningProcess(ENTRY, ['verify', '--short'], {});
      const children = () => descendantsOf(running.pid);
      // The children are Redis and its shells, gateways, publishers, clients and load.
      await expect.poll(() => children().length, { timeout: 60_000 }).toBeGreaterThan(12);
      const before = children();
      const { code } = await running.stop('SIGTERM');
      expect(code, running.output).toBe(130);
      await expect.poll(() => before.filter(isAlive)).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), 'leque-verify-test-'));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
