import { expect, test } from 'vitest';
import { explain } from '../src/delivery-report/explain.ts';

const delivery = {
  channel: 'project:P',
  cursor: '5d1a92b8d5ac59c3.1',
  received_at: '2026-01-15T10:30:00.005Z',
  sessions: 0,
  written: 0,
  recovered: 2,
  filtered: 0,
  slow: 0,
  conflated: 0,
  dropped: 0,
  closing: 0,
  waiting: 0,
};
const node = {
  node: 'gateway-1',
  sessions: 0,
  not_selected: 0,
  not_granted: 0,
  deliveries: [delivery],
};

test.each([
  [2, undefined],
  [3, '1 more has connected since.'],
  [5, '3 more have connected since.'],
])(
  'of %d clients that came later, those that recovered the event are named once',
  (later, said) => {
    const report = { message_id: 'm', nodes: [{ ...node, connected_later: later }], silent: 0 };
    const sentences = explain(report, 'project:P');
    expect(sentences).toContainEqual(expect.stringContaining('by 2 that came later'));
    expect(sentences.filter((each) => each.includes('connected since'))).toEqual(
      said === undefined ? [] : [said],
    );
  },
);
