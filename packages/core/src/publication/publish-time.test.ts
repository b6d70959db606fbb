import { expect, test } from 'vitest';
import { publishTimeOf } from './publish-time.ts';

const at = Date.parse('2026-01-02T03:04:05.678Z');
const timeOf = (json: string, now = at + 5) => publishTimeOf(Buffer.from(json), now);

test('the publish time is found behind the data, whatever the data contains', () => {
  const own = '"timestamp":"2026-01-02T03:04:05.678Z"';
  const other = '"timestamp":"2026-01-02T03:04:09.000Z"';
  expect(timeOf(`{"type":"a","data":{},${own},"message_id":"m"}`)).toBe(at);
  expect(timeOf(`{"type":"a","data":{"b":1,${other}},${own},"user_id":"u"}`)).toBe(at);
  expect(timeOf(`{"type":"a","data":{"b":"${'x'.repeat(5000)}"},${own}}`)).toBe(at);
});

test('a view into a larger buffer is read within its bounds', () => {
  const json = '{"type":"a","data":{},"timestamp":"2026-01-02T03:04:05.678Z"}';
  const view = Buffer.from(`,"timestamp":"${json}`).subarray(14);
  expect(publishTimeOf(view, at)).toBe(at);
  expect(publishTimeOf(view.subarray(0, 21), at)).toBeUndefined();
});

test('an event without a timestamp has no publish time', () => {
  expect(timeOf('{"type":"a","data":{}}')).toBeUndefined();
  expect(timeOf('{"type":"a","data":{},"timestamp":"yesterday"}')).toBeUndefined();
  expect(timeOf('{"type":"a","data":{},"timestamp":"2026-01-02T04:04:05+01:00"}')).toBeUndefined();
});

test('a timestamp far in the past or in the future is not a publish time', () => {
  const json = '{"type":"a","data":{},"timestamp":"2026-01-02T03:04:05.678Z"}';
  expect(timeOf(json, at + 3_600_000)).toBeUndefined();
  expect(timeOf(json, at - 3_600_000)).toBeUndefined();
});
