import { expect, test } from 'vitest';
import { freePorts } from '../src/index.ts';

test('ports that are handed out are handed out once, although nothing listens on them yet', async () => {
  const ports: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    ports.push(...(await Promise.all(Array.from({ length: 50 }, () => freePorts(1)))));
  }
  expect(new Set(ports).size).toBe(ports.length);
});
