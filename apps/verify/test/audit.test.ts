import { describe, expect, test } from 'vitest';
import { auditChannel } from '../src/audit/audit-channel.ts';
import { ChannelLog } from '../src/audit/channel-log.ts';
import { LedgerIndex, LedgerWriter } from '../src/audit/ledger.ts';

const EPOCH = 'e1';

/** Numbers 1 to `last` were acknowledged, each at the offset of its number. */
function ledgerOf(last: number): LedgerIndex {
  const writer = new LedgerWriter();
  writer.last = last;
  for (let number = 1; number <= last; number += 1) writer.stored(at(number), number);
  return new LedgerIndex(writer.read());
}

function at(offset: number, epoch = EPOCH) {
  return { epoch, offset };
}

/** A client that began before the first and saw these, each at the offset of its number. */
function logOf(...numbers: number[]): ChannelLog {
  const log = new ChannelLog();
  log.note({ kind: 'start', position: at(0) });
  for (const number of numbers) log.publication(at(number), number);
  return log;
}

function audit(log: ChannelLog, ledger = ledgerOf(6)) {
  const { examples: _, ...counts } = auditChannel(log.entries, ledger);
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

describe('the audit of a channel', () => {
  test('finds nothing when each event came once and in order, and logs that as two entries', () => {
    const log = logOf(1, 2, 3, 4, 5, 6);
    expect(audit(log)).toEqual({ deliveries: 6 });
    expect(log.entries).toHaveLength(2);
  });

  test('[GAP] finds an event lost in the middle', () => {
    expect(audit(logOf(1, 2, 4, 5, 6))).toEqual({ deliveries: 5, lost: 1, gaps: 1 });
  });

  test('[GAP] finds events lost at the end', () => {
    expect(audit(logOf(1, 2, 3, 4))).toEqual({ deliveries: 4, lost: 2 });
  });

  test('[GAP] finds events lost before the first one when the client had a position', () => {
    expect(audit(logOf(3, 4, 5, 6))).toEqual({ deliveries: 4, lost: 2, gaps: 1 });
  });

  test('[GAP] finds that no event arrived', () => {
    expect(audit(logOf())).toEqual({ lost: 6 });
    expect(audit(new ChannelLog())).toEqual({ lost: 1 });
  });

  test('[DUP] finds an event that came twice, at once or later', () => {
    expect(audit(logOf(1, 2, 2, 3, 4, 5, 6))).toEqual({ deliveries: 7, duplicated: 1 });
    expect(audit(logOf(1, 2, 3, 4, 2, 3, 5, 6))).toEqual({ deliveries: 8, duplicated: 2 });
  });

  test('[DUP] finds an event that was stored twice', () => {
    const log = logOf(1, 2, 3);
    log.publication(at(4), 3);
    for (const number of [4, 5, 6]) log.publication(at(number + 1), number);
    const writer = new LedgerWriter();
    writer.last = 6;
    for (const number of [1, 2, 3]) writer.stored(at(number), number);
    for (const number of [4, 5, 6]) writer.stored(at(number + 1), number);
    const found = audit(log, new LedgerIndex(writer.read()));
    expect(found).toMatchObject({ deliveries: 7, duplicated: 1 });
  });

  test('[ORD] finds events in another order', () => {
    expect(audit(logOf(1, 3, 2, 4, 5, 6))).toMatchObject({ deliveries: 6, reordered: 1 });
  });

  test('[ORD] finds an event at another position than the acknowledged one', () => {
    const log = logOf(1, 2);
    log.publication(at(3), 4);
    log.publication(at(4), 3);
    for (const number of [5, 6]) log.publication(at(number), number);
    expect(audit(log)).toMatchObject({ reordered: 2 });
  });

  test('[GAP] finds a jump backwards without a resync', () => {
    const log = logOf(1, 2, 3, 4, 5);
    log.publication(at(1, 'e2'), 6);
    const writer = new LedgerWriter();
    writer.last = 6;
    for (const number of [1, 2, 3, 4, 5]) writer.stored(at(number), number);
    writer.stored(at(1, 'e2'), 6);
    expect(audit(log, new LedgerIndex(writer.read()))).toEqual({ deliveries: 6, reordered: 1 });
  });

  test('accepts offsets that continue in a new epoch', () => {
    const log = logOf(1, 2, 3);
    for (const number of [4, 5, 6]) log.publication(at(number, 'e2'), number);
    expect(audit(log)).toEqual({ deliveries: 6 });
  });

  test('[GAP] excuses events missing before the position of a resync, and none after it', () => {
    const excused = logOf(1, 2);
    excused.note({ kind: 'resync', position: at(4) });
    for (const number of [5, 6]) excused.publication(at(number), number);
    expect(audit(excused)).toEqual({ deliveries: 4, excused: 2, resyncs: 1 });

    const hiding = logOf(1, 2);
    hiding.note({ kind: 'resync', position: at(3) });
    for (const number of [5, 6]) hiding.publication(at(number), number);
    expect(audit(hiding)).toMatchObject({ gaps: 1 });
  });

  test('[GAP] does not excuse events lost after a resync', () => {
    const log = logOf(1, 2, 3);
    log.note({ kind: 'resync', position: at(3) });
    expect(audit(log)).toMatchObject({ lost: 1, resyncs: 1 });
  });

  test('excuses events up to the end that a resync names', () => {
    const log = logOf(1);
    log.note({ kind: 'resync', position: at(2), until: at(5) });
    for (const number of [4, 6]) log.publication(at(number), number);
    expect(audit(log)).toEqual({ deliveries: 3, excused: 3, resyncs: 1 });
  });

  test('lets an unacknowledged event be missing or come once', () => {
    const writer = new LedgerWriter();
    writer.last = 4;
    for (const number of [1, 2]) writer.stored(at(number), number);
    writer.givenUp(3);
    writer.stored(at(4), 4);
    const ledger = new LedgerIndex(writer.read());
    expect(audit(logOf(1, 2, 3, 4), ledger)).toEqual({ deliveries: 4 });
    expect(audit(logOf(1, 2, 3, 3, 4), ledger)).toEqual({ deliveries: 5, duplicated: 1 });
  });

  test('finds an event that was never published', () => {
    expect(audit(logOf(1, 2, 3, 4, 5, 6, 7))).toEqual({ deliveries: 7, strays: 1 });
  });

  test('counts the positions of other publications', () => {
    const log = logOf(1, 2);
    log.publication(at(3), 0);
    log.publication(at(4), 3);
    const writer = new LedgerWriter();
    writer.last = 3;
    for (const number of [1, 2]) writer.stored(at(number), number);
    writer.stored(at(4), 3);
    expect(audit(log, new LedgerIndex(writer.read()))).toEqual({ deliveries: 3 });
  });
});

describe('the ledger', () => {
  test('[ORD] finds an event stored before an earlier one, unless that was sent again', () => {
    const writer = new LedgerWriter();
    writer.last = 4;
    writer.stored(at(1), 1);
    writer.stored(at(4), 2);
    writer.stored(at(2), 3);
    writer.stored(at(5), 4);
    expect(new LedgerIndex(writer.read()).disorder()).toEqual([3]);
    writer.retried(2);
    expect(new LedgerIndex(writer.read()).disorder()).toEqual([]);
  });

  test('[ACK] finds two events acknowledged with one position', () => {
    const writer = new LedgerWriter();
    writer.last = 2;
    writer.stored(at(1), 1);
    writer.stored(at(1), 2);
    expect(new LedgerIndex(writer.read()).disorder()).toEqual([2]);
  });
});
