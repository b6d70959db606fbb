import { Random } from '@leque/testkit';
import { expect, test } from 'vitest';
import { isTooLong } from './event-text.ts';

const MAX = 1_000;
const withData = (data: string) => `{"type":"t","data":{"a":${data}}}`;
const numbers = (count: number) => Array.from({ length: count }, (_, index) => `"${index}":1`);

test.each([
  ['a text of the largest size', withData(`"${'x'.repeat(MAX - 30)}"`), false],
  ['a text of escapes', withData(`"${'\\u0041'.repeat(MAX - 30)}"`), false],
  ['indentation', withData(' '.repeat(5 * MAX)), false],
  ['a text twice as large', withData(`"${'x'.repeat(2 * MAX)}"`), true],
  ['escapes of a text twice as large', withData(`"${'\\n'.repeat(2 * MAX)}"`), true],
  ['many fields', `{"type":"t","data":{${numbers(300)}}}`, true],
  ['many nested lists', withData('['.repeat(2 * MAX)), true],
  ['white space without end', withData(' '.repeat(8 * MAX)), true],
  ['an open text of white space', `{"type":"${' '.repeat(2 * MAX)}`, true],
])('%s', (_, text, tooLong) => {
  expect(isTooLong(text, MAX)).toBe(tooLong);
});

test('no text of an event that may be stored is too long, however it is escaped', () => {
  for (let seed = 1; seed <= 2_000; seed += 1) {
    const random = new Random(seed);
    const data = Array.from({ length: 10 }, () => textOf(random));
    const plain = JSON.stringify({ type: 't', data: { data } });
    const sent = random.chance(0.5) ? escaped(plain) : JSON.stringify(JSON.parse(plain), null, 4);
    const stored = Buffer.byteLength(plain);
    expect(isTooLong(sent, stored), `seed ${seed}`).toBe(false);
  }
});

function textOf(random: Random): string {
  const letters = ['a', 'é', '\u{1f600}', '"', '\\', '\n', '\u0001', '漢'];
  return Array.from({ length: 1 + random.below(20) }, () => random.pick(letters)).join('');
}

/** Writes every letter as an escape, except in the names of fields. */
function escaped(json: string): string {
  const hex = (letter: string) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return json.replace(/[aé漢]|[\ud800-\udfff]/g, hex).replaceAll('d\\u0061t\\u0061', 'data');
}
