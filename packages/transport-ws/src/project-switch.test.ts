import { Publication } from '@leque/core';
import type { Position } from '@leque/protocol';
import { expect, test } from 'vitest';
import { ProjectSwitch } from './project-switch.ts';

const P = 'project:P';
const at = (offset: number, epoch = 'e') => ({ epoch, offset });

function repeated(origin: string, originPosition: Position): Publication {
  const init = { channel: 'firehose', origin, originPosition, type: 'x', json: '{}' };
  return new Publication({ ...init, position: undefined });
}

/** Where a subscription that joined at `joinedAt` starts. */
function startOf(joinedAt: Position, ...brought: Publication[]): Position | undefined {
  const change = new ProjectSwitch();
  change.passes(repeated(P, at(1)));
  change.begin(P);
  for (const publication of brought) expect(change.passes(publication)).toBe(true);
  const subscription = {
    position: joinedAt as Position | undefined,
    moveTo(position: Position | undefined) {
      this.position = position;
    },
  };
  change.finish(subscription);
  return subscription.position;
}

test('[DUP] a project goes on where the firehose ended', () => {
  expect(startOf(at(4), repeated(P, at(5)), repeated(P, at(6)))).toEqual(at(6));
});

test('what the firehose brought before, or of others, does not matter', () => {
  expect(startOf(at(4))).toEqual(at(4));
  expect(startOf(at(4), repeated('project:Q', at(9)))).toEqual(at(4));
  expect(startOf(at(4), repeated(P, at(3)))).toEqual(at(4));
  expect(startOf(at(4), repeated(P, at(9, 'lost')))).toEqual(at(4));
});
