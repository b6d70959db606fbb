import { describe, expect, it } from 'vitest';
import { isUrgent, presentedBy } from './commands.ts';

const CURSOR = '1760000000000.7';

describe('[RE3] The channels for which a command presents cursors', () => {
  it.each([
    [`{"action":"resume","cursors":{"all":"${CURSOR}"}}`, ['all']],
    [`{"ACTION":"x","type":"Resume","cursors":{"all":"${CURSOR}"}}`, ['all']],
    [`{"action":"res\\u0075me","curs\\u006frs":{"all":"${CURSOR}"}}`, ['all']],
    [`{"action":"subscribe","project_id":"P","s\\u0069nce":"${CURSOR}"}`, ['project:P']],
    [`{"action":"subscribe","projects":[{"project_id":"P","since":"${CURSOR}"}]}`, ['project:P']],
    ['{"action":"resume","cursors":7}', 'unreadable'],
    ['{"action":"resume"', 'unreadable'],
    ['{"action":"subscribe","project_id":"P"}', []],
    ['', []],
  ])('of %s are %s', (text, channels) => {
    expect(presentedBy(text)).toEqual(channels);
  });
});

describe('[WS3.5] A command that overtakes others', () => {
  it.each([
    ['ping', true],
    ['{"action":"AUTH","token":"x"}', true],
    ['{"action":"\\u0070ong"}', true],
    ['{"action":"subscribe","project_id":"ping"}', false],
    ['', false],
  ])('%s: %s', (text, urgent) => {
    expect(isUrgent(text)).toBe(urgent);
  });
});
