import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { projectChannel, tryParseChannel, userChannel } from './channel.ts';
import { encodeId, isId, tryDecodeId, tryReadId } from './id.ts';

/** Ids as identity providers, databases and people write them, with their encodings. */
const IDS = [
  ['PROJ-001', 'PROJ-001'],
  ['a.b_c-d:e+f@g~h', 'a.b_c-d:e+f@g~h'],
  ['x'.repeat(256), 'x'.repeat(256)],
  ['auth0|64fabc', 'auth0%7C64fabc'],
  ['oauth2|slack|U1', 'oauth2%7Cslack%7CU1'],
  ['repo:octo/app:ref:refs/heads/main', 'repo:octo%2Fapp:ref:refs%2Fheads%2Fmain'],
  ['spiffe://td/ns/x', 'spiffe:%2F%2Ftd%2Fns%2Fx'],
  ['CN=Bob,OU=x', 'CN%3DBob%2COU%3Dx'],
  ["o'neil@x.org", 'o%27neil@x.org'],
  ['josé@x.org', 'jos%C3%A9@x.org'],
  ['f:uuid:bob smith', 'f:uuid:bob%20smith'],
  ['user%40x.org', 'user%2540x.org'],
  ['{}', '%7B%7D'],
  ['a}:log{', 'a%7D:log%7B'],
  ['**', '%2A%2A'],
  ['(!)*', '%28%21%29%2A'],
  ['"\\', '%22%5C'],
  [' ', '%20'],
  ['漢字', '%E6%BC%A2%E5%AD%97'],
  ['😀', '%F0%9F%98%80'],
  ['é'.repeat(128), '%C3%A9'.repeat(128)],
] as const;

test.each(IDS)('[ID] [CH.1] %j is an id, and %j in the name of its channel', (id, encoded) => {
  expect(isId(id)).toBe(true);
  expect(encodeId(id)).toBe(encoded);
  expect(tryDecodeId(encoded)).toBe(id);
});

test.each([
  '',
  '*',
  'a\n',
  'a\0',
  '\t',
  'a\u007f',
  'a\u0085b',
  'a\u2028b',
  '\ud83d',
  'a\udc00',
  'x'.repeat(257),
  'é'.repeat(129),
  '漢'.repeat(86),
])('[ID] [ID.3] %j is no id', (text) => {
  expect(isId(text)).toBe(false);
});

test.each([
  [42, '42'],
  [-7, '-7'],
  [0, '0'],
  [-0, '0'],
  [9_007_199_254_740_991, '9007199254740991'],
  [9_007_199_254_740_992, undefined],
  [1.5, undefined],
  [1e300, undefined],
  [Number.NaN, undefined],
  [Number.POSITIVE_INFINITY, undefined],
  ['42', '42'],
  ['', undefined],
  [null, undefined],
  [true, undefined],
  [['a'], undefined],
  [{}, undefined],
])('[ID.1] as an id, %j is read as %j', (value, id) => {
  expect(tryReadId(value)).toBe(id);
});

const anyText = fc.string({ unit: 'binary', maxLength: 300 });
const anyId = anyText.filter(isId);
/** Texts that look like encodings, or like the names and keys around them. */
const trap = fc
  .array(fc.constantFrom('%', '7C', '7c', '|', ':', '}', '{', 'user:', 'a', 'é', 'e\u0301', '25'))
  .map((parts) => parts.join(''));

test('[ISO] [ID] ids that differ never share a channel, and a channel names one id', () => {
  fc.assert(
    fc.property(fc.oneof(anyId, trap.filter(isId)), fc.oneof(anyId, trap.filter(isId)), (a, b) => {
      for (const channel of [userChannel(a), projectChannel(a)]) {
        expect(channel).toMatch(/^(user|project):[A-Za-z0-9._:@+~%-]{1,768}$/);
        expect(tryParseChannel(channel)?.id).toBe(a);
      }
      expect(userChannel(a) === userChannel(b)).toBe(a === b);
    }),
  );
});

test('[ISO] [CH.2] a channel has one name: any text is either that name or names nothing', () => {
  fc.assert(
    fc.property(fc.oneof(anyText, trap), (text) => {
      const parsed = tryParseChannel(`user:${text}`);
      if (parsed !== undefined) expect(userChannel(parsed.id)).toBe(`user:${text}`);
    }),
  );
});

test('[CH.1] the line of JavaScript in docs/tokens.md encodes every id as Leque does', () => {
  const guide = new URL('../../../../docs/tokens.md', import.meta.url);
  const [, line] = /^const encodeId = (.*);$/m.exec(readFileSync(guide, 'utf8')) ?? [];
  const documented = new Function(`return ${line}`)() as typeof encodeId;
  for (const [id, encoded] of IDS) expect(documented(id)).toBe(encoded);
  fc.assert(fc.property(anyId, (id) => documented(id) === encodeId(id)));
});

test('[ISO] [ID.2] texts that Unicode calls equivalent are different ids', () => {
  const [composed, decomposed] = ['jos\u00e9', 'jose\u0301'];
  expect(composed.normalize('NFD')).toBe(decomposed);
  expect(userChannel(composed)).not.toBe(userChannel(decomposed));
});
