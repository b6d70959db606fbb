import { expect, test } from 'vitest';
import { ERRORS, type ErrorCode, ProtocolError } from './errors.ts';

test('an error becomes a problem document', () => {
  expect(new ProtocolError('token_expired', 'token has expired').toProblem()).toEqual({
    type: 'about:blank',
    title: 'token expired',
    status: 401,
    detail: 'token has expired',
    code: 'token_expired',
  });
});

test('[AD] an error has the status of its code', () => {
  for (const [code, { status }] of Object.entries(ERRORS)) {
    expect(new ProtocolError(code as ErrorCode, '').status).toBe(status);
  }
});

test('an error keeps its cause', () => {
  const cause = new Error('why');
  expect(new ProtocolError('unavailable', 'what', { cause }).cause).toBe(cause);
});
