import { type HistoryPage, Publication } from '@leque/core';
import { FakeClock } from '@leque/testkit/fakes';
import { describe, expect, test } from 'vitest';
import { RecentPages } from './recent-pages.ts';

const P = 'project:P';
const at = (offset: number, epoch = 'e') => ({ epoch, offset });
const EXTENT = { publications: 100, bytes: 10_000 };

/** The page of the publications after `from`, up to `to`. */
function pageOf(from: number, to: number): HistoryPage {
  const publications = Array.from(
    { length: to - from },
    (_, index) =>
      new Publication({ channel: P, type: 'x', position: at(from + index + 1), json: '{"a":1}' }),
  );
  return { position: at(to), publications, complete: true };
}

const offsetsOf = (page: HistoryPage | undefined) =>
  page?.publications.map(({ position }) => position?.offset);

function startWith(from: number, to: number) {
  const clock = new FakeClock();
  const pages = new RecentPages(clock);
  pages.keep(P, at(from), pageOf(from, to));
  const find = (after: number, delivered: number, extent = EXTENT) =>
    offsetsOf(pages.find(P, { after: at(after), delivered: at(delivered), extent }));
  return { clock, pages, find };
}

describe('RecentPages', () => {
  test('serves every query for a part of a kept page', () => {
    const { find } = startWith(3, 6);
    expect(find(3, 6)).toEqual([4, 5, 6]);
    expect(find(5, 6)).toEqual([6]);
    expect(find(6, 4)).toEqual([]);
    expect(find(2, 6)).toBeUndefined();
    expect(find(7, 6)).toBeUndefined();
  });

  test('[GAP] serves no page once this node has delivered something newer', () => {
    const { find } = startWith(3, 6);
    expect(find(3, 7)).toBeUndefined();
  });

  test('[GAP] serves no page of another epoch, nor of a channel that this node does not deliver', () => {
    const { pages } = startWith(3, 6);
    const wanted = { after: at(3), extent: EXTENT };
    expect(pages.find(P, { ...wanted, delivered: at(6, 'f') })).toBeUndefined();
    expect(pages.find(P, { ...wanted, delivered: undefined })).toBeUndefined();
    expect(pages.find(P, { ...wanted, after: at(3, 'f'), delivered: at(6) })).toBeUndefined();
    expect(pages.find('project:Q', { ...wanted, delivered: at(6) })).toBeUndefined();
  });

  test('[MEM] serves no page that exceeds the limits of the query', () => {
    const { find } = startWith(3, 6);
    expect(find(3, 6, { publications: 2, bytes: 100 })).toBeUndefined();
    expect(find(3, 6, { publications: 3, bytes: 20 })).toBeUndefined();
    expect(find(3, 6, { publications: 3, bytes: 21 })).toEqual([4, 5, 6]);
  });

  test('replaces a page only by one that begins earlier or ends later', () => {
    const { pages, find } = startWith(3, 6);
    pages.keep(P, at(5), pageOf(5, 6));
    expect(find(3, 6)).toEqual([4, 5, 6]);
    pages.keep(P, at(1), pageOf(1, 6));
    expect(find(1, 6)).toHaveLength(5);
    pages.keep(P, at(6), pageOf(6, 8));
    expect([find(1, 6), find(6, 8)]).toEqual([undefined, [7, 8]]);
  });

  test('[GAP] keeps complete pages only', () => {
    const { pages, find } = startWith(3, 6);
    pages.keep(P, at(1), { ...pageOf(1, 8), complete: false });
    pages.keep(P, at(1), { ...pageOf(2, 8), position: at(8) });
    pages.keep(P, at(1, 'd'), pageOf(1, 8));
    expect([find(1, 6), find(3, 6)]).toEqual([undefined, [4, 5, 6]]);
  });

  test('[MEM] keeps pages for a second, and only as many as there is room for', () => {
    const { clock, pages, find } = startWith(3, 6);
    const json = JSON.stringify({ a: 'x'.repeat(4_000_000) });
    const large = new Publication({ channel: P, type: 'x', position: at(1), json });
    pages.keep('project:Q', at(0), { position: at(1), publications: [large], complete: true });
    const wanted = { after: at(0), extent: { publications: 1, bytes: 5e6 }, delivered: at(1) };
    expect(pages.find('project:Q', wanted)).toBeUndefined();
    expect(find(3, 6)).toEqual([4, 5, 6]);
    clock.advance(1000);
    expect(find(3, 6)).toBeUndefined();
    expect(clock.pending).toBe(0);
  });
});
