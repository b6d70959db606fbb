import { expect, test } from 'vitest';
import { Publication } from './publication.ts';

function publication(json: string): Publication {
  return new Publication({ channel: 'all', type: 'x', position: undefined, json });
}

test('the event is parsed once', () => {
  const { event } = publication('{"type":"x"}');
  expect(event).toEqual({ type: 'x' });
});

test('a forged payload does not stop the node', () => {
  expect(publication('{"type":"x"}}').event).toEqual({});
  expect(publication('null').event).toEqual({});
});
