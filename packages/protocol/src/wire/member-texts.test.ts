import fc from 'fast-check';
import { expect, test } from 'vitest';
import { memberTexts } from './member-texts.ts';

test.each([
  ['{}', []],
  [' { } ', []],
  ['{"a":1}', [['a', '1']]],
  [
    '\n{ "a" : -0.0e+5 ,\t"b":[ {"}":"]"}, "\\"" ] , "c" :{"d":{}}}\r\n',
    [
      ['a', '-0.0e+5'],
      ['b', '[ {"}":"]"}, "\\"" ]'],
      ['c', '{"d":{}}'],
    ],
  ],
  ['{"\\u0061\\\\":"\\\\"}', [['a\\', '"\\\\"']]],
  ['{"":null}', [['', 'null']]],
] as const)('the members of %j keep their texts', (json, members) => {
  const { texts, doubled } = memberTexts(json);
  expect([...texts]).toEqual(members);
  expect(doubled).toEqual([]);
});

test('names that occur twice are listed, and the last value counts, as in JSON.parse', () => {
  const { texts, doubled } = memberTexts('{"a":1,"b":2,"\\u0061":3}');
  expect(doubled).toEqual(['a']);
  expect(texts.get('a')).toBe('3');
});

test('the texts of any object give the object again', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(2), (object, indent) => {
      const { texts } = memberTexts(JSON.stringify(object, undefined, indent));
      const members = [...texts].map(([name, text]) => `${JSON.stringify(name)}:${text}`);
      expect(JSON.parse(`{${members.join(',')}}`)).toEqual(JSON.parse(JSON.stringify(object)));
    }),
  );
});

test('a text that is not JSON does not keep the scan from ending', () => {
  const characters = fc.constantFrom(...'{}[]":,\\a1 '.split(''));
  fc.assert(
    fc.property(fc.array(characters, { maxLength: 30 }), (parts) => {
      try {
        memberTexts(`{${parts.join('')}`);
      } catch (error) {
        expect(error).toBeInstanceOf(SyntaxError);
      }
    }),
  );
});
