import type { Position } from '@leque/protocol';
import { expect, test } from 'vitest';
import { advancedTo, newerCursors } from './newer-positions.ts';
import type { CarriedState } from './recovery-ids.ts';

const at = (offset: number, epoch = 'e'): Position => ({ epoch, offset });

function lost(positions: Record<string, Position | undefined>, partial = {}): CarriedState {
  return {
    pid: '',
    id: '',
    sid: '',
    base: new Map(),
    positions: new Map(Object.entries(positions)),
    ended: new Set(),
    partial: new Map(Object.entries(partial)),
  };
}

test.each([
  { what: 'an older cursor', own: at(60), cursor: 'e.50', counts: at(60) },
  { what: 'a newer cursor', own: at(50), cursor: 'e.60', counts: at(60) },
  { what: 'the same cursor', own: at(50), cursor: 'e.50', counts: at(50) },
  { what: 'a newer epoch', own: at(50), cursor: 'f.60', counts: at(60, 'f') },
  { what: 'no cursor', own: at(50), cursor: 'yesterday', counts: at(50) },
  { what: 'a channel that was left', own: undefined, cursor: 'e.60', counts: undefined },
])('[IO8.14] the newer of the own position and the cursor counts: $what', (each) => {
  const { own, cursor, counts } = each;
  const { positions } = advancedTo({ P: cursor }, lost({ P: own, Q: at(7) }));
  expect([...positions]).toEqual([
    ['P', counts],
    ['Q', at(7)],
  ]);
});

test('[GAP] [IO8.3] a cursor at a publication that was seen by half does not hide its second event', () => {
  const state = lost({ P: at(49), Q: at(49) }, { P: at(50), Q: at(50) });
  const { positions, partial } = advancedTo({ P: 'e.50', Q: 'e.51' }, state);
  expect(positions).toEqual(
    new Map([
      ['P', at(49)],
      ['Q', at(51)],
    ]),
  );
  expect(partial).toEqual(new Map([['P', at(50)]]));
});

test('[IO8.14] a state that cannot be recovered still says what its client has seen', () => {
  const cursors = { P: 'e.50', Q: 'e.50', R: 'f.50', S: 'e.1' };
  const state = lost({ P: at(60), Q: at(40), R: at(60) });
  expect(newerCursors(cursors, state)).toEqual({ ...cursors, P: 'e.60' });
  expect(newerCursors(cursors, undefined)).toEqual(cursors);
});
