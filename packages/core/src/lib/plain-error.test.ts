import { expect, test } from 'vitest';
import { loggable, PlainError } from './plain-error.ts';

const CANARY = 'c4n4ry-S3cr3t';
/** The header and the claims of a token, in base64url. */
const TOKEN = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.${CANARY}`;

function caught(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

function withFields(properties: object, message = 'WRONGPASS invalid password'): Error {
  return Object.assign(new Error(message), properties);
}

test.each<[of: string, error: unknown]>([
  ['ioredis, with its command', withFields({ command: { name: 'auth', args: ['u', CANARY] } })],
  [
    'ioredis, with its previous errors',
    withFields({ previousErrors: [withFields({ args: CANARY })] }),
  ],
  ['Node, with the URL that it cannot read', caught(() => new URL(`redis://u:${CANARY}@:x`))],
  [
    'undici, with the URL in its message',
    new TypeError(`Failed to parse URL from http://u:${CANARY}@h:x/`),
  ],
  ['a password with marks of URLs', new Error(`redis://u:a/b?${CANARY}#c@d@host:1 is no URL`)],
  ['a URL with a token', new Error(`404 of /ws/notifications?x=1&token=${CANARY}&y=2`)],
  ['a URL with an API key', new Error(`404 of /api?api_key=${CANARY}`)],
  ['jose, with its payload', withFields({ payload: { jti: CANARY }, code: 'ERR_JWT_EXPIRED' })],
  ['a token in a message', new Error(`cannot read ${TOKEN}`)],
  ['a header in a message', new Error(`Authorization: Bearer ${CANARY} is wrong`)],
  [
    'Redis, with the arguments of an unknown command',
    new Error(`ERR unknown command 'AUTH', with args beginning with: 'u' '${CANARY}' `),
  ],
  ['V8, with text that is no JSON', caught(() => JSON.parse(`{"data":${CANARY}}`))],
  ['V8, with a short text that is no JSON', caught(() => JSON.parse(CANARY))],
  ['a cause', new Error('failed', { cause: withFields({ args: [CANARY] }) })],
  [
    'a cause in a cause',
    new Error('a', { cause: new Error('b', { cause: withFields({ x: CANARY }) }) }),
  ],
  ['a thrown object', { message: 'failed', args: [CANARY] }],
  [
    'a stack that was written over',
    Object.assign(new Error('x'), {
      stack: `Error: redis://u:${CANARY}@h\n    at redis://u:${CANARY}@h:1`,
    }),
  ],
  ['a message of several lines', new Error(`a\n    at Bearer ${CANARY}`)],
])('an error of %s keeps its secret for itself', (_, error) => {
  const plain = PlainError.of(error);
  expect(JSON.stringify(plain)).not.toContain(CANARY);
  expect(plain.message).not.toBe('');
});

test('an error keeps its type, message, code, stack and causes, and nothing else', () => {
  const cause = Object.assign(new RangeError('below'), { code: 7, extra: 1 });
  const plain = PlainError.of(Object.assign(new Error('above', { cause }), { code: 'E_X', a: 1 }));
  expect(plain).toMatchObject({
    type: 'Error',
    message: 'above',
    code: 'E_X',
    stack: expect.stringContaining('plain-error.test.ts'),
    cause: { type: 'RangeError', message: 'below', code: '7' },
  });
  expect(Object.keys(plain).toSorted()).toEqual(['cause', 'code', 'message', 'stack', 'type']);
  expect(PlainError.of(plain)).toBe(plain);
});

test('causes that lead in a circle, long messages and deep stacks end', () => {
  const error = new Error('x'.repeat(100_000));
  error.cause = error;
  error.stack = `Error\n${'    at somewhere\n'.repeat(10_000)}`;
  expect(JSON.stringify(PlainError.of(error)).length).toBeLessThan(5 * 1200);
});

test.each<[text: string, shown: string]>([
  ['\u001b[31mred\u0007', '\\u001b[31mred\\u0007'],
  ['C1 \u009b, DEL \u007f', 'C1 \\u009b, DEL \\u007f'],
  ['bidi \u202e and \u2066', 'bidi \\u202e and \\u2066'],
  ['line\nline\u2028line', 'line\\u000aline\\u2028line'],
  ['half a pair \ud83d', 'half a pair \\ud83d'],
  ['ñandú 🎉 中', 'ñandú 🎉 中'],
])('%j is logged as %j', (text, shown) => {
  expect(loggable(text)).toBe(shown);
});

test('a long text is cut, with a mark at its end', () => {
  expect(loggable('a'.repeat(15_000), 100)).toBe(`${'a'.repeat(100)}…`);
});
