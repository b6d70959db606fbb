import { Random } from '@leque/testkit';
import { expect, test } from 'vitest';
import { mergeHistory, placeLive } from './live-places.ts';
import { Publication } from './publication.ts';

const of = (offset: number | undefined, type = 'x') =>
  new Publication({
    channel: 'project:P',
    type,
    position: offset === undefined ? undefined : { epoch: 'e', offset },
    json: '{"n":1}',
  });
const live = (name: string) => of(undefined, name);
const shown = (publications: readonly Publication[]) =>
  publications.map(({ position, type }) => position?.offset ?? type);

test('a live-only publication belongs after the last stored one before it', () => {
  const [a, b] = [live('a'), live('b')];
  expect(placeLive([a, of(4), of(5), b], { epoch: 'e', offset: 3 })).toBe(true);
  expect([a.after?.offset, b.after?.offset]).toEqual([3, 5]);
  expect(placeLive([of(6)], undefined)).toBe(false);
});

test('[EV7.1] while a node does not know where a channel stands, live-only publications bring their places', () => {
  const [told, untold, later] = [live('told'), live('untold'), live('later')];
  told.after = { epoch: 'e', offset: 5 };
  later.after = { epoch: 'e', offset: 6 };
  placeLive([told, untold, of(6), later, of(7)], undefined);
  expect([told, untold, later].map(({ after }) => after?.offset)).toEqual([5, 5, 6]);
  const { merged } = mergeHistory([of(5), of(6), of(7), of(8)], [told, untold, later]);
  expect(shown(merged)).toEqual([5, 'told', 'untold', 6, 'later', 7, 8]);
});

test('[EV7] [ORD] what arrived live comes between the publications of the history', () => {
  const arrived = [live('a'), of(7), live('b'), live('c'), of(8), live('d'), of(9), live('e')];
  placeLive(arrived, { epoch: 'e', offset: 5 });
  const { merged, rest } = mergeHistory([of(6), of(7), of(8)], arrived);
  expect(shown(merged)).toEqual(['a', 6, 7, 'b', 'c', 8]);
  expect(shown(rest)).toEqual([7, 8, 'd', 9, 'e']);
});

test('offsets go on in a new epoch, and so do the places of live-only publications', () => {
  const arrived = [live('a'), of(7), live('b')];
  placeLive(arrived, { epoch: 'old', offset: 5 });
  const { merged, rest } = mergeHistory([of(6), of(7), of(8)], arrived);
  expect(shown(merged)).toEqual(['a', 6, 7, 'b', 8]);
  expect(shown(rest)).toEqual([7]);
});

test('[EV7] [ORD] for any part that arrived, live-only publications keep their places', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = new Random(seed);
    let offset = 0;
    const published = Array.from({ length: 30 }, (_, n) => {
      if (random.chance(0.5)) return live(`l${n}`);
      offset += 1;
      return of(offset);
    });
    const from = random.below(published.length);
    const arrived = published.slice(from);
    const before = published.slice(0, from).findLast(({ position }) => position)?.position;
    placeLive(arrived, before ?? { epoch: 'e', offset: 0 });
    const since = random.below(1 + (before?.offset ?? 0));
    const top = Math.max(since, random.below(offset + 1));
    const history = published.filter(
      ({ position }) => position !== undefined && position.offset > since && position.offset <= top,
    );
    const { merged, rest } = mergeHistory(history, arrived);
    const seen = new Set(merged.map(({ position }) => position?.offset));
    const delivered = [
      ...merged,
      ...rest.filter(({ position }) => position === undefined || !seen.has(position.offset)),
    ].filter(({ position }) => position === undefined || position.offset > since);
    const expected = published.filter(({ position, isLive }, n) =>
      isLive
        ? n >= from
        : (position?.offset ?? 0) > since &&
          (n >= from || history.some((each) => each.position?.offset === position?.offset)),
    );
    expect(shown(delivered), `seed ${seed}`).toEqual(shown(expected));
  }
});
