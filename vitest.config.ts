import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Parts of the paths of the longest files. None of them may start late and run alone at the end. Those
 * that mostly wait stand between those that take a core, so that no test is starved.
 */
const LONGEST = [
  'operating/verify',
  'conformance/seed-000',
  'link/sentinel',
  'redis-cluster/redis-cluster',
  'operating/canaries',
  'delivery/failover',
  'testkit/test/sentinel',
  'delivery/local-cluster',
  'delivery/state-recovery',
  'input/unfinished-requests',
  'delivery/cluster',
  'operating/monitoring',
  'redis-cluster/cluster-faults',
  'leque/test/command',
  'conformance/seed-004',
  'leque/test/publish-command',
  'gateway/test/flooding-clients',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const index = LONGEST.findIndex((part) => moduleId.includes(part));
  return index < 0 ? LONGEST.length : index;
}

// Unit tests do no I/O and sit beside the code. Integration tests start servers: they come second,
// and few at a time, so that the ones which wait for a deadline are not starved of CPU.
export default defineConfig({
  test: {
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{apps,packages}/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.it.test.ts', '**/*.compose.test.ts'],
          isolate: false, // a process for each file would take longer than the tests
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['{apps,packages}/**/*.it.test.ts', 'test/**/*.it.test.ts'],
          exclude: ['**/node_modules/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 3,
          isolate: false,
          sequence: { groupOrder: 2 },
        },
      },
      // Only when asked for: they need Docker, and images that have been built.
      {
        extends: true,
        test: {
          name: 'compose',
          include: ['{apps,packages}/**/*.compose.test.ts', 'test/**/*.compose.test.ts'],
          exclude: ['**/node_modules/**'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
