import { userChannel } from '@leque/protocol';
import { expect, test } from 'vitest';
import { MAX_POSITIONS } from '../wire/offset.ts';
import { RecoveryIds } from './recovery-ids.ts';

const ids = new RecoveryIds('a secret');
const at = (offset: number) => ({ epoch: 'e', offset });
const BASE = new Map([
  ['user:u', at(3)],
  ['project:P', at(7)],
]);

function issue(base = BASE) {
  const issued = ids.issue('sid', base);
  if (issued === undefined) throw new Error('no pid');
  return issued;
}

test('[IO8.2] a pid brings back the socket, and where its channels stood', () => {
  const { pid, id } = issue();
  expect(ids.read({ pid }, 'u')).toEqual({
    pid,
    id,
    sid: 'sid',
    base: BASE,
    positions: BASE,
    ended: new Set(),
    partial: new Map(),
  });
});

test('[IO8] what the offset says is newer; a partial one is not counted', () => {
  const { pid, id } = issue();
  expect(ids.read({ pid, offset: 'user:u=e.5~' }, 'u')).toMatchObject({
    positions: new Map([...BASE, ['user:u', at(4)]]),
    partial: new Map([['user:u', at(5)]]),
  });
  const offset = `project:Q=e.1;project:P=;#${id}`;
  expect(ids.read({ pid, offset }, 'u')?.positions).toEqual(
    new Map([...BASE, ['project:P', undefined], ['project:Q', at(1)]]),
  );
});

test('[IO8.3] an offset tells a channel that was left from one that ended with its right', () => {
  const { pid, id } = issue();
  const read = (entry: string) => ids.read({ pid, offset: `;${entry};#${id}` }, 'u');
  expect(read('project:P=')).toMatchObject({ ended: new Set() });
  const state = read('project:P=~');
  expect(state).toMatchObject({ ended: new Set(['project:P']), partial: new Map() });
  expect(state?.positions.get('project:P')).toBeUndefined();
});

test('[IO8] an offset for an earlier pid says nothing that the later one does not', () => {
  const { pid } = issue();
  const offset = `;user:u=e.1;project:P=;#${issue().id}`;
  expect(ids.read({ pid, offset }, 'u')?.positions).toEqual(BASE);
});

test('[ISO] a pid that was forged, changed or made for another user is none', () => {
  const { pid } = issue();
  expect(ids.read({ pid }, 'v')).toBeUndefined();
  expect(new RecoveryIds('another').read({ pid }, 'u')).toBeUndefined();
  for (const forged of [
    '',
    ';',
    ';;;',
    pid.slice(0, -1),
    `${pid}x`,
    pid.replace('user:u', 'user:v'),
    pid.replace('e.7', 'e.1'),
    'x'.repeat(60_000),
  ]) {
    expect(ids.read({ pid: forged }, 'u')).toBeUndefined();
    expect(ids.read({ pid: forged }, 'v')).toBeUndefined();
  }
});

test.each([{ offset: 7 }, { offset: 'world' }, { offset: {} }, { offset: null }])(
  '[GAP] %j says nothing, so that nothing is recovered',
  (auth) => {
    expect(ids.read({ pid: issue().pid, ...auth }, 'u')).toBeUndefined();
  },
);

test('[IO8.2] while secrets are rotated, each of two nodes reads what the other has signed', () => {
  const base = new Map([['user:u', { epoch: 'e', offset: 1 }]]);
  const nodes = [new RecoveryIds('old', 'new'), new RecoveryIds('new', 'old')];
  for (const [at, node] of nodes.entries()) {
    const { pid } = node.issue('sid', base) ?? {};
    expect(nodes[1 - at]?.read({ pid }, 'u')).toMatchObject({ sid: 'sid' });
    expect(new RecoveryIds('third').read({ pid }, 'u')).toBeUndefined();
  }
});

test('[ISO] channels with ids of other alphabets are carried, up to a length', () => {
  const users = ['auth0|64f', 'a~', '漢'.repeat(85)];
  for (const user of users) {
    const base = new Map([[userChannel(user), { epoch: 'e', offset: 1 }]]);
    const { pid } = ids.issue('sid', base) ?? {};
    expect(ids.read({ pid }, user)?.base).toEqual(base);
    expect(ids.read({ pid }, userChannel(user))).toBeUndefined();
  }
  const long = Array.from(
    { length: 32 },
    (_, n) => [`${userChannel('漢'.repeat(84))}${n}`] as const,
  );
  expect(ids.issue('sid', new Map(long.map(([name]) => [name, { epoch: 'e', offset: 1 }])))).toBe(
    undefined,
  );
});

test('[IO8.10] a session in too many channels gets no pid', () => {
  const base = (count: number) =>
    new Map(Array.from({ length: count }, (_, n) => [`project:${n}`, at(n)] as const));
  expect(ids.issue('sid', base(MAX_POSITIONS))).toBeDefined();
  expect(ids.issue('sid', base(MAX_POSITIONS + 1))).toBeUndefined();
});
