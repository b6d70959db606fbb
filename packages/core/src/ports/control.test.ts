import { Type } from 'typebox';
import { expect, test } from 'vitest';
import { ControlHandlers, controlKind, wellFormedAnswers } from './control.ts';

const DOUBLE = controlKind('double', Type.Number(), Type.Number());

test('handlers of one kind all answer, in their order, unless they have nothing to answer', () => {
  const handlers = new ControlHandlers();
  handlers.add(DOUBLE, (n) => 2 * n);
  handlers.add(DOUBLE, () => undefined);
  handlers.add(DOUBLE, (n) => n + n + 1);
  expect(handlers.answersTo('double', 3)).toEqual([6, 7]);
  expect(handlers.answersTo('unknown', 3)).toEqual([]);
});

test.each([null, '3', [3], { n: 3 }, undefined])(
  'the malformed request %j gets no answer',
  (body) => {
    const handlers = new ControlHandlers();
    handlers.add(DOUBLE, (n) => 2 * n);
    expect(handlers.answersTo('double', body)).toEqual([]);
  },
);

test('malformed answers of other processes are left out', () => {
  const answers = [6, '6', null, { n: 6 }].map((body, index) => ({ node: `n${index}`, body }));
  expect(wellFormedAnswers(DOUBLE, answers)).toEqual([{ node: 'n0', body: 6 }]);
});
