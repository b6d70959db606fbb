import { Random } from '@leque/testkit';
import { expect, test } from 'vitest';
import { ListScanner } from './list-scanner.ts';

/** The items of a list, or undefined for a text that is no list. */
function scan(text: string, slice = 7): string[] | undefined {
  if (!ListScanner.isList(text)) return undefined;
  const scanner = new ListScanner(text, 1_000);
  while (scanner.advance(slice));
  return scanner.isComplete ? [...scanner.items] : undefined;
}

/** Scans a text and parses each item that the scan has found. */
function parseByItems(text: string): unknown {
  try {
    return scan(text)?.map((item) => JSON.parse(item));
  } catch {
    return undefined;
  }
}

function parseAtOnce(text: string): unknown {
  try {
    const parsed = JSON.parse(text);
    return Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

test.each([
  ['[]', []],
  [' [ \n] ', []],
  ['[1]', ['1']],
  ['[1, {"a":[2,3]} ,"],"]', ['1', ' {"a":[2,3]} ', '"],"']],
  ['["\\",","\\\\",2]', ['"\\","', '"\\\\"', '2']],
  ['["\\\\\\"",2]', ['"\\\\\\""', '2']],
  ['[,]', ['', '']],
  ['[1', undefined],
  ['[1]]', undefined],
  ['[1] 2', undefined],
  ['[1}', undefined],
  ['["', undefined],
  ['{}', undefined],
  ['', undefined],
])('%j has the items %j', (text, items) => {
  expect(scan(text)).toEqual(items);
});

test('items beyond the limit are counted, and not kept', () => {
  const scanner = new ListScanner(`[${'0,'.repeat(4_999)}0]`, 10);
  while (scanner.advance(100));
  expect([scanner.count, scanner.items.length, scanner.isComplete]).toEqual([5_000, 10, true]);
});

test('parsing by items is the same as parsing at once, for any text', () => {
  for (let seed = 1; seed <= 20_000; seed += 1) {
    const random = new Random(seed);
    const text = spoil(JSON.stringify(listOf(random), null, random.below(3)), random);
    expect(parseByItems(text), `seed ${seed}`).toEqual(parseAtOnce(text));
  }
});

function listOf(random: Random): unknown[] {
  return Array.from({ length: random.below(4) }, () => randomValue(random, 3));
}

function randomValue(random: Random, depth: number): unknown {
  switch (random.below(depth > 0 ? 5 : 3)) {
    case 0:
      return random.pick(['', '"', '\\', '[{', ']}', ',', ' a\u2028\u{1f600}\n', '\\"]']);
    case 1:
      return random.below(1_000) / 8;
    case 2:
      return random.pick([null, true, false]);
    case 3:
      return Array.from({ length: random.below(4) }, () => randomValue(random, depth - 1));
    default:
      return { a: randomValue(random, depth - 1), '],"': randomValue(random, depth - 1) };
  }
}

/** Half of the texts stay as they are; in the others characters are put in, taken out or changed. */
function spoil(text: string, random: Random): string {
  let spoiled = text;
  for (let changes = random.below(2) * random.below(4); changes > 0; changes -= 1) {
    const at = random.below(spoiled.length + 1);
    const put = random.pick(['', '[', ']', '{', '}', ',', '"', '\\', ' ', '1', '\u00a0']);
    spoiled = spoiled.slice(0, at) + put + spoiled.slice(at + random.below(2));
  }
  return spoiled;
}
