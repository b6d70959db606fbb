import { defineConfig } from 'vitest/config';

// Unit tests do no I/O and sit beside the code. Integration tests start servers: they come second,
// and few at a time, so that the ones which wait for a deadline are not starved of CPU.
export default defineConfig({
  test: {
    pool: 'forks',
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
          testTimeout: 20_000,
          hookTimeout: 30_000,
          maxWorkers: 2,
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
