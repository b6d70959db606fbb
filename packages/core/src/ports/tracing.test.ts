import { expect, test } from 'vitest';
import { tryParseTraceparent } from './tracing.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

test.each([
  ['01', true],
  ['00', false],
  ['03', true],
  ['fe', false],
])('a traceparent with the flags %s has isSampled %s', (flags, isSampled) => {
  expect(tryParseTraceparent(`00-${TRACE}-${SPAN}-${flags}`)).toEqual({
    traceId: TRACE,
    spanId: SPAN,
    isSampled,
  });
});

test.each([
  undefined,
  '',
  `01-${TRACE}-${SPAN}-01`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `00-${TRACE}-${SPAN}`,
  `00-${TRACE}-${SPAN}-1`,
  `00-${TRACE}-${SPAN}-01-more`,
])('%j is not a traceparent', (text) => {
  expect(tryParseTraceparent(text)).toBeUndefined();
});
