import { describe, expect, test } from 'vitest';
import { parseReply } from './redis-probe.ts';

describe('a reply of Redis', () => {
  test.for([
    ['+OK\r\n', { value: 'OK' }],
    [':42\r\n', { value: '42' }],
    ['-ERR no\r\n', { error: 'ERR no' }],
    ['$5\r\na\r\nbc\r\n', { value: 'a\r\nbc' }],
    ['$0\r\n\r\n', { value: '' }],
    ['$-1\r\n', {}],
  ] as const)('%j is %j', ([text, reply]) => {
    expect(parseReply(text)).toEqual(reply);
  });

  test.for(['', '$5', '$5\r\nab', '$5\r\nabcde\r'])('%j is not complete', (text) => {
    expect(parseReply(text)).toBeUndefined();
  });
});
