import { describe, expect, test } from 'vitest';
import { auditLive } from '../src/audit/audit-live.ts';
import { ChannelLog } from '../src/audit/channel-log.ts';
import { LedgerIndex, LedgerWriter } from '../src/audit/ledger.ts';

const LAST = 9;
const LIVES = [3, 6, 9];

/** Numbers 1 to 9 were stored, and live-only events sent behind 3, 6 and 9. */
function ledger(retried: readonly number[] = []): LedgerIndex {
  const writer = new LedgerWriter();
  writer.last = LAST;
  for (let number = 1; number <= LAST; number += 1) {
    writer.stored({ epoch: 'e', offset: number }, number);
    if (LIVES.includes(number) && !retried.includes(number)) writer.live(number);
  }
  for (const number of retried) writer.retried(number);
  return new LedgerIndex(writer.read());
}

/** A log lists what a client received: numbers of stored events, `L3` for a live-only one, `|` to reconnect. */
function audit(text: string, { isComplete = false, retried = [] as readonly number[] } = {}) {
  const log = new ChannelLog();
  let connection = 0;
  for (const each of text.split(' ')) {
    const live = /^L(\d)$/.exec(each)?.[1];
    if (each === '|') connection += 1;
    else if (live !== undefined) {
      log.lives.live({ after: Number(live), seen: log.lastNumber, connection });
    } else log.publication({ epoch: 'e', offset: Number(each) }, Number(each));
  }
  const found = auditLive(log.lives.read(), ledger(retried), { first: 1, isComplete });
  const { examples: _, ...counts } = found;
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

describe('the audit of live-only events', () => {
  test('finds nothing when each came between its stored neighbours, or not at all', () => {
    expect(audit('1 2 3 L3 4 5 6 L6 7 8 9 L9', { isComplete: true })).toEqual({ live: 3 });
    expect(audit('1 2 3 4 5 6 L6 7 8 9')).toEqual({ live: 1 });
  });

  test('[EV7.1] [ORD] finds one on the other side of a stored event', () => {
    expect(audit('1 2 3 4 L3 5 6 L6')).toEqual({ live: 2, reordered: 1 });
    expect(audit('1 2 L3 3 4')).toEqual({ live: 1, reordered: 1 });
  });

  test('[EV7.8] [DUP] finds one that came twice on a connection', () => {
    expect(audit('1 2 3 L3 L3 4')).toEqual({ live: 2, duplicated: 1 });
    expect(audit('1 2 3 L3 | L3 4')).toEqual({ live: 2 });
  });

  test('[EV7.1] finds losses where nothing was broken', () => {
    expect(audit('1 2 3 L3 4 5 6 7 8 9', { isComplete: true })).toEqual({ live: 1, lost: 2 });
  });

  test('does not know the order of what was sent again', () => {
    expect(audit('1 2 L3 4 3 5', { retried: [3] })).toEqual({ live: 1 });
  });
});
