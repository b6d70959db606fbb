import { expect, test } from 'vitest';
import { withoutBase } from './base-path.ts';

test.each([
  ['/realtime/ws/notifications?token=x', '/ws/notifications?token=x'],
  ['/realtime/socket.io/?EIO=4', '/socket.io/?EIO=4'],
  ['/realtime', '/'],
  ['/realtime/', '/'],
  ['/realtime?x=1', '/?x=1'],
  ['/realtime//ws/logs', '//ws/logs'],
  ['/readyz', '/readyz'],
  ['/', '/'],
  ['', ''],
  ['/realtimes/ws', '/realtimes/ws'],
  ['/Realtime/ws', '/Realtime/ws'],
  ['/ws/realtime/x', '/ws/realtime/x'],
  ['*', '*'],
])('beneath the base path /realtime, %s is %s', (url, expected) => {
  expect(withoutBase(url, '/realtime')).toBe(expected);
});
