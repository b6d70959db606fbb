import { describe, expect, it } from 'vitest';
import { type COMMANDS, parseCommand } from './commands.ts';

const CURSOR = '1760000000000.7';
/** Every command with all that it knows. */
const COMPLETE = {
  ping: {},
  pong: {},
  stats: {},
  subscribe: { project_id: 'P', since: CURSOR, grant: 'g' },
  unsubscribe: { project_id: 'P' },
  resume: { cursors: { all: CURSOR }, grants: ['g'] },
  auth: { token: 't', cursors: { all: CURSOR }, grants: ['g'] },
  'subscribe.projects': {
    projects: [{ project_id: 'P', since: CURSOR, grant: 'g' }],
    grant: 'g',
  },
  'unsubscribe.projects': { projects: [{ project_id: 'P' }] },
} satisfies Record<keyof typeof COMMANDS, object>;

function ignoredIn(command: object): readonly string[] {
  return parseCommand(JSON.stringify(command)).ignored;
}

describe('[WS3.9] [WS3.10] The fields that a command ignores', () => {
  it.each(Object.entries(COMPLETE))('are named in %s, and no others', (action, fields) => {
    expect(ignoredIn({ action, type: action, id: 7, ...fields })).toEqual([]);
    const misspelt = { sinse: CURSOR, cursor: CURSOR, grnt: 'g' };
    expect(ignoredIn({ action, ...fields, ...misspelt })).toEqual(['sinse', 'cursor', 'grnt']);
  });

  it.each(['subscribe', 'unsubscribe'])('are named in the projects of %s, once each', (action) => {
    const projects = ['P', 'Q'].map((project_id) => ({ project_id, sinse: CURSOR }));
    expect(ignoredIn({ action, projects })).toEqual(['sinse']);
  });

  it('are at most 8 names of up to 32 inert characters', () => {
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`f${index}`, 0]));
    expect(ignoredIn({ action: 'ping', ...many })).toHaveLength(8);
    expect(ignoredIn({ action: 'ping', ['x'.repeat(5000)]: 0 })).toEqual(['x'.repeat(32)]);
    expect(ignoredIn({ action: 'ping', '<b>\u0000\ud800é': 0 })).toEqual(['?b???é']);
  });

  it.each(['__proto__', 'constructor', 'toString'])('may be called %s', (name) => {
    const text = `{"action":"ping","${name}":{"x":1}}`;
    expect(parseCommand(text).ignored).toEqual([name]);
  });
});
