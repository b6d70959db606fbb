import type { Random } from '../lib/random.ts';
import { EXACT_VALUES } from './event-samples.ts';

const SPACES = ['', '', '', ' ', '\n', '\r\n\t'];
const TEXTS = [
  '',
  'a',
  'é',
  '🎈',
  '\\"',
  '\\\\',
  '}',
  '{[',
  '\\u0000',
  '\\ud83c\\udf88',
  '\u2028',
  ',',
];
const PLAIN = ['true', 'false', 'null', ...EXACT_VALUES];

/** The text of a random JSON object, with the white space and escapes that publishers may write. */
export function randomObject(random: Random, levels = 4): string {
  const names = [...new Set(Array.from({ length: random.below(5) }, () => randomText(random)))];
  const members = names.map((name) => `${name}${space(random)}:${randomValue(random, levels)}`);
  return `{${members.join(',') || space(random)}}`;
}

function randomValue(random: Random, levels: number): string {
  return `${space(random)}${bareValue(random, levels - 1)}${space(random)}`;
}

function bareValue(random: Random, levels: number): string {
  const kind = levels > 0 ? random.below(6) : 2 + random.below(4);
  if (kind === 0) return randomObject(random, levels);
  if (kind === 1) {
    return `[${Array.from({ length: random.below(4) }, () => randomValue(random, levels)).join(',')}]`;
  }
  if (kind === 2) return randomText(random);
  return kind === 3 ? pick(random, PLAIN) : randomNumber(random);
}

function randomText(random: Random): string {
  return `"${Array.from({ length: random.below(4) }, () => pick(random, TEXTS)).join('')}"`;
}

function randomNumber(random: Random): string {
  const digits = () =>
    Array.from({ length: 1 + random.below(25) }, () => random.below(10)).join('');
  const whole = random.chance(0.3) ? '0' : `${1 + random.below(9)}${digits()}`;
  const fraction = random.chance(0.4) ? `.${digits()}` : '';
  const exponent = random.chance(0.3)
    ? `${pick(random, ['e', 'E', 'e+', 'e-'])}${random.below(99)}`
    : '';
  return `${random.chance(0.3) ? '-' : ''}${whole}${fraction}${exponent}`;
}

function space(random: Random): string {
  return pick(random, SPACES);
}

function pick(random: Random, values: readonly string[]): string {
  return values[random.below(values.length)] ?? '';
}
