import type { Position } from '@leque/protocol';
import { expect, test } from 'vitest';
import type { Filter } from '../fan-out/subscriber.ts';
import { Publication } from '../publication/publication.ts';
import { acceptsAfter, ProjectSwitch } from './project-switch.ts';

const P = 'project:P';
const at = (offset: number, epoch = 'e') => ({ epoch, offset });

function repeated(origin: string, originPosition: Position | undefined): Publication {
  const init = { channel: 'firehose', origin, originPosition, type: 'x', json: '{}' };
  return new Publication({ ...init, position: undefined });
}

/** Where a subscription that joined at `joinedAt` starts. */
function startOf(joinedAt: Position, ...brought: Publication[]): Position | undefined {
  const firehose: { accepts: Filter | undefined } = { accepts: undefined };
  const change = new ProjectSwitch(firehose);
  for (const publication of brought) expect(firehose.accepts?.(publication)).toBe(true);
  const subscription = {
    channel: P,
    position: joinedAt as Position | undefined,
    deliveredElsewhere() {},
    moveTo(position: Position | undefined) {
      this.position = position;
    },
  };
  change.finish(subscription);
  return subscription.position;
}

test('[DUP] a project continues where the firehose ended', () => {
  expect(startOf(at(4), repeated(P, at(5)), repeated(P, at(6)))).toEqual(at(6));
});

test('a project is not moved by older publications, other projects or other epochs', () => {
  expect(startOf(at(4))).toEqual(at(4));
  expect(startOf(at(4), repeated('project:Q', at(9)))).toEqual(at(4));
  expect(startOf(at(4), repeated(P, at(3)), repeated(P, at(4)))).toEqual(at(4));
  expect(startOf(at(4), repeated(P, at(9, 'lost')))).toEqual(at(4));
});

test('a project that the firehose leaves out already stays left out, and is not noted', () => {
  const firehose = { accepts: (({ origin }) => origin !== P) as Filter | undefined };
  const change = new ProjectSwitch(firehose);
  expect(firehose.accepts?.(repeated(P, at(9)))).toBe(false);
  expect(firehose.accepts?.(repeated('project:Q', at(9)))).toBe(true);
  const subscription = {
    channel: P,
    position: at(4),
    deliveredElsewhere() {},
    moveTo: () => expect.fail('it was moved'),
  };
  change.finish(subscription);
});

test('[DUP] the firehose continues where the channels of projects ended', () => {
  const passes = acceptsAfter(new Map([[P, at(4)]]));
  expect([3, 4, 5].map((offset) => passes(repeated(P, at(offset))))).toEqual([false, false, true]);
  expect(passes(repeated(P, at(1, 'new')))).toBe(true);
  expect(passes(repeated('project:Q', at(1)))).toBe(true);
  expect(passes(repeated('project:Q', undefined))).toBe(true);
});

test('[EV7.9] [DUP] what a project has brought live does not come again by the firehose', () => {
  const passes = acceptsAfter(new Map([[P, at(4)]]));
  expect(passes(repeated(P, undefined))).toBe(false);
});
