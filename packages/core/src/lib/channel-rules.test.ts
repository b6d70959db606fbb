import { expect, test } from 'vitest';
import { parseChannelRules } from './channel-rules.ts';

const parse = (text: string) =>
  parseChannelRules(text, (rule) => (rule === 'wrong' ? undefined : rule), 'CHANNEL RULE');

test('the rule of a channel wins over those of its prefixes, and a longer prefix over a shorter one', () => {
  const rules = parse('project:* a; project:stream:* b ;;project:stream:9 c; user:a%2Fb* d; all e');
  const found = [
    'project:P',
    'project:stream:1',
    'project:stream:9',
    'user:a%2Fbc',
    'user:a',
    'all',
  ];
  expect(found.map((channel) => rules.find(channel))).toEqual(['a', 'b', 'c', 'd', undefined, 'e']);
  expect(parse('').find('all')).toBeUndefined();
});

test('of two rules for the same pattern the later one counts', () => {
  expect(parse('project:* a; project:* b').find('project:P')).toBe('b');
});

test.each([
  'project:P',
  'project:P wrong',
  '* a',
  'pro* a',
  'all* a',
  'project:a/b* a',
  'project:a%2f* a',
  'project:**  a',
  'nowhere a',
])('the rule "%s" is refused and quoted', (rule) => {
  expect(() => parse(`all e; ${rule}`)).toThrow(`"${rule}" is not a rule; write CHANNEL RULE`);
});
