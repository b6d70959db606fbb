import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { accepted, problems } from '../../test/support/parsed-event.ts';
import { SERVER_MESSAGES, SHARED_NAMES } from '../wire/server-messages.ts';
import { RESERVED_TYPES } from './event-types.ts';

test('[EV2.2] every name of a message of the server is reserved, but for those that are shared', () => {
  const open = SERVER_MESSAGES.filter((name) => !RESERVED_TYPES.has(name));
  expect(open.toSorted()).toEqual(SHARED_NAMES.toSorted());
});

test.each([...SHARED_NAMES, 'notification'])('[EV2.2] an application may publish %s', (type) => {
  const event = { type, data: { message: 'm', title: 't', beats: [1] }, project_id: 'monitor' };
  expect(accepted(event)).toMatchObject({ type, channel: 'project:monitor' });
});

test.each([...RESERVED_TYPES])('[EV2] %s is refused by name: %s', (type, reason) => {
  expect(problems({ type, data: {} })).toEqual([`type: "${type}" is reserved: ${reason}`]);
});

test('[EV2] PROTOCOL.md lists the reserved names, each group with its reason, and no other', async () => {
  const page = await readFile(new URL('../../PROTOCOL.md', import.meta.url), 'utf8');
  const [, table = ''] =
    /\| reserved names \| why \|\n\s*\| --- \| --- \|\n((?:\s*\|.*\n)+)/.exec(page) ?? [];
  const listed = [...table.matchAll(/^ *\| (.*) \| (.*) \|$/gm)].flatMap(([, names = '', why]) =>
    [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => [name, why]),
  );
  expect(listed.toSorted()).toEqual([...RESERVED_TYPES].toSorted());
});
