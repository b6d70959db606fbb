import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bringsCursors,
  COMMANDS,
  checkCommand,
  grantsOf,
  MAX_GRANTS,
  parseCommand,
  requestIdOf,
} from './commands.ts';
import { ProtocolError } from './errors.ts';

const parse = (input: unknown) => parseCommand(JSON.stringify(input));

function refusal(text: string): { code: string; message: string } {
  try {
    parseCommand(text);
  } catch (error) {
    if (error instanceof ProtocolError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('not refused');
}

test.each([
  'ping',
  ' ping ',
  'ping\n',
  'ping\r\n',
  'ping\0',
  'ping\r\n\0\0',
  'PING',
  'Ping',
  '"ping"',
  '\ufeffping',
])('[WS3.6] the text %j is a ping', (text) => {
  expect(parseCommand(text).action).toBe('ping');
});

test.each(['pong', 'PONG\0', '"pong"', '{"type":"pong"}', '{"action":"pong","data":{}}'])(
  '[WS3.7] the text %j answers a heartbeat',
  (text) => {
    expect(parseCommand(text).action).toBe('pong');
  },
);

test.each([
  '{"action":"ping","id":7}\0',
  '{"action":"ping","id":7}\0\0\r\n',
  '\ufeff{"action":"ping","id":7}',
  '\ufeff \r\n{"action":"ping","id":7}',
  ' \t{"action" : "ping", "id": 7} \n',
  '{"action":"PING","id":7}',
  '{"type":"Ping","id":7}',
])('[WS3.6] the command %j is read as it was meant', (text) => {
  expect(parseCommand(text)).toMatchObject({ action: 'ping', command: { id: 7 } });
  expect(requestIdOf(text)).toBe(7);
});

test('[WS3.6] white space around a command takes no longer than its length', () => {
  const text = `${' \0'.repeat(30_000)}x`.repeat(2);
  expect(refusal(text).code).toBe('invalid_json');
});

test('[WS3.8] `projects` in place of `project_id` names several', () => {
  const projects = [{ project_id: 'A', since: 'e.1' }, { project_id: 'B' }];
  expect(parse({ action: 'subscribe', projects }).action).toBe('subscribe.projects');
  expect(parse({ action: 'subscribe.projects', projects }).command).toMatchObject({ projects });
  expect(parse({ type: 'unsubscribe', projects }).action).toBe('unsubscribe.projects');
  expect(parse({ action: 'ping', projects }).action).toBe('ping');
});

test.each([
  { action: 'ping' },
  { action: 'subscribe', project_id: 'PROJ-001' },
  { action: 'subscribe', project_id: 'PROJ-001', since: 'e.1', id: 7 },
  { action: 'unsubscribe', project_id: 'PROJ-001', id: 'seven' },
  { action: 'stats' },
  { action: 'resume', cursors: { all: 'e.1', 'user:alice': 'e.2' } },
  { action: 'auth', token: 'a.b.c' },
  { action: 'subscribe', project_id: 'PROJ-001', grant: 'a.b.c' },
  { action: 'resume', cursors: {}, grants: ['a.b.c'] },
  { action: 'auth', token: 'a.b.c', grants: [] },
])('[WS3.1] in the command %j, `action` may be called `type`', (input) => {
  expect(parse(input)).toEqual({ action: input.action, command: input, ignored: [] });
  const { action: type, ...rest } = input;
  const command = { ...rest, type };
  expect(parse(command)).toEqual({ action: type, command, ignored: [] });
});

test('[WS3.9] a field that the command does not know is ignored, and named', () => {
  const input = { action: 'ping', unknown: 'fields are ignored' };
  expect(parse(input)).toEqual({ action: 'ping', command: input, ignored: ['unknown'] });
});

describe('[WS4] refused commands', () => {
  test.each([
    ['', 'invalid_json', 'neither "ping" nor JSON'],
    ['hello', 'invalid_json', 'neither "ping" nor JSON'],
    ['\0', 'invalid_json', 'neither "ping" nor JSON'],
    ...[
      '2',
      '3',
      '5',
      '2probe',
      '40',
      '40/events,{"token":"x"}',
      '42["ping"]',
      '42/events,["x"]',
    ].map((packet) => [
      packet,
      'invalid_command',
      'this is a packet of Socket.IO, whose clients connect to /socket.io/',
    ]),
    ['{', 'invalid_json', 'neither "ping" nor JSON'],
    ['7', 'invalid_command', 'a command is a JSON object'],
    ['null', 'invalid_command', 'a command is a JSON object'],
    ['[]', 'invalid_command', 'a command is a JSON object, not a list of them'],
    ['["ping"]', 'invalid_command', 'a command is a JSON object, not a list of them'],
    ['"stats"', 'invalid_command', 'a command is a JSON object'],
  ])('%j is refused with %s', (text, code, message) => {
    expect(refusal(text)).toEqual({ code, message });
  });

  test.each([{}, [], true, 'x'.repeat(129)])('the id %j is refused', (id) => {
    expect(refusal(JSON.stringify({ action: 'ping', id }))).toEqual({
      code: 'invalid_command',
      message: 'id must be a text of up to 128 characters, or a number',
    });
  });

  test.each([{}, { action: 'dance' }, { action: 7 }, { action: null }, { action: 'constructor' }])(
    'the unknown action in %j, with those that are known',
    (input) => {
      expect(refusal(JSON.stringify(input))).toEqual({
        code: 'unknown_action',
        message: `unknown action; known are ${Object.keys(COMMANDS).join(', ')}`,
      });
    },
  );

  test.each([
    [{ action: 'subscribe' }, 'project_id is required'],
    [
      { action: 'subscribe', project_id: 7.5 },
      'project_id must be a text of 1 to 256 bytes in UTF-8 without control characters, or a whole number',
    ],
    [
      { action: 'subscribe', project_id: 'x'.repeat(257) },
      'project_id must be a text of 1 to 256 bytes in UTF-8 without control characters, or a whole number',
    ],
    [
      { action: 'unsubscribe', project_id: 'a\nb' },
      'project_id must be a text of 1 to 256 bytes in UTF-8 without control characters, or a whole number',
    ],
    [
      { action: 'subscribe', project_id: 'P', since: 'e'.repeat(65) },
      'since must not have more than 64 characters',
    ],
    [{ action: 'resume' }, 'cursors is required'],
    [{ action: 'resume', cursors: { all: 7 } }, 'cursors.all must be string'],
    [
      { action: 'subscribe', project_id: 'A', projects: [{ project_id: 'B' }] },
      'project_id and projects exclude each other',
    ],
    [{ action: 'subscribe', projects: [] }, 'projects must not have fewer than 1 items'],
    [{ action: 'subscribe', projects: ['A'] }, 'projects.0 must be object'],
    [{ action: 'subscribe', projects: { A: 'e.1' } }, 'projects must be array'],
    [
      { action: 'subscribe', projects: [{ project_id: 'A' }, { project_id: 7.5 }] },
      'projects.1.project_id must be a text of 1 to 256 bytes in UTF-8 without control characters, or a whole number',
    ],
    [
      { action: 'subscribe', projects: [{ project_id: 'A', since: 7 }] },
      'projects.0.since must be string',
    ],
    [{ action: 'auth', token: '' }, 'token must not have fewer than 1 characters'],
    [{ action: 'subscribe', project_id: 'P', grant: ['a.b.c'] }, 'grant must be string'],
    [
      { action: 'subscribe', project_id: 'P', grant: 'x'.repeat(16_385) },
      'grant must not have more than 16384 characters',
    ],
    [
      { action: 'subscribe', projects: [{ project_id: 'P', grant: 7 }] },
      'projects.0.grant must be string',
    ],
    [{ action: 'resume', cursors: {}, grants: 'a.b.c' }, 'grants must be array'],
    [{ action: 'auth', token: 'a.b.c', grants: [7] }, 'grants.0 must be string'],
    [
      { action: 'resume', cursors: {}, grants: Array(MAX_GRANTS + 1).fill('a.b.c') },
      `grants must not have more than ${MAX_GRANTS} items`,
    ],
  ])('%j is refused: %s', (input, message) => {
    expect(refusal(JSON.stringify(input))).toEqual({ code: 'invalid_command', message });
  });

  test('[RE3.8] more cursors than a resume may have are refused', () => {
    const cursors = Object.fromEntries(
      Array.from({ length: 513 }, (_, index) => [`project:${index}`, 'e.1']),
    );
    expect(refusal(JSON.stringify({ action: 'resume', cursors })).code).toBe('invalid_command');
  });
});

test('[ID.1] ids that are numbers become texts, in lists too', () => {
  const one = { action: 'subscribe', project_id: 42 };
  expect(parseCommand(JSON.stringify(one)).command).toMatchObject({ project_id: '42' });
  const list = { action: 'subscribe', projects: [{ project_id: 1, since: 'e.1' }] };
  expect(parseCommand(JSON.stringify(list)).command).toMatchObject({
    projects: [{ project_id: '1', since: 'e.1' }],
  });
});

test('[GR2] a command brings grants for each of its projects, or for all, and no grant twice', () => {
  const projects = [{ project_id: 'A', grant: 'a' }, { project_id: 'B' }, { project_id: 'C' }];
  const several = checkCommand('subscribe.projects', { projects, grant: 'all' });
  expect(grantsOf(several)).toEqual(['all', 'a']);
  expect(grantsOf(checkCommand('subscribe', { project_id: 'A', grant: 'a' }))).toEqual(['a']);
  const resume = checkCommand('resume', { cursors: {}, grants: ['a', 'b', 'a'] });
  expect(grantsOf(resume)).toEqual(['a', 'b']);
  expect(grantsOf(checkCommand('auth', { token: 't' }))).toEqual([]);
});

test('the fields of a command are checked in another transport too', () => {
  expect(checkCommand('subscribe', { project_id: 'P' })).toEqual({ project_id: 'P' });
  expect(() => checkCommand('subscribe', undefined)).toThrow(ProtocolError);
});

test.each([
  ['{"id":7}', 7],
  ['{"id":"x","action":"dance"}', 'x'],
  ['{"id":{}}', undefined],
  ['{', undefined],
  ['ping', undefined],
])('[WS3.1] the id of %s is %s, also in a wrong command', (text, id) => {
  expect(requestIdOf(text)).toBe(id);
});

test.each([
  ['{"action":"resume"}', true],
  ['{"type":"resume","cursors":[]}', true],
  ['{"action":"resume","cursors":{"all":7}}', true],
  ['{"action":"resume","cursors":{"all":"e.1"', true],
  ['{"action":"subscribe","project_id":"P","since":7}', true],
  ['{"action":"subscribe","project_id":"a\\nb","since":"e.1"}', true],
  ['{"cursors":{"all":"e.1"}}', true],
  ['{"action":"subscribe","projects":[{"project_id":"P","since":7}]}', true],
  ['{"action":"subscribe","projects":[null,{"project_id":7}]}', false],
  ['{"action":"subscribe","project_id":7}', false],
  ['{"action":"fly","note":"since then"}', false],
  ['resume', false],
  ['', false],
])('[RE4.7] the command %s presents cursors: %s', (text, expected) => {
  expect(bringsCursors(text)).toBe(expected);
});

test('[WS4] any text is a command or is refused with a ProtocolError', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.json().map((json) => `{"action":"subscribe","project_id":${json}}`),
    fc.json().map((json) => `{"action":"resume","cursors":${json}}`),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        parseCommand(text);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
      }
      requestIdOf(text);
    }),
    { numRuns: 2_000 },
  );
});
