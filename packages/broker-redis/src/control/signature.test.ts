import { FakeClock } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { Signature } from './signature.ts';

const SECRET = 'a-secret-of-the-cluster-0123456789';
const CHANNEL = 'leque:control';
const REQUEST = { id: 'r1', kind: 'log level', body: { level: 'silent', 1: 'ü', x: -0 } };

function startPair(secret: string | undefined = SECRET) {
  const clock = new FakeClock();
  const [sender, receiver] = [new Signature(SECRET, clock), new Signature(secret, clock)];
  const receive = (text: string, channel = CHANNEL) =>
    receiver.isAuthentic(channel, JSON.parse(text));
  return { clock, sender, receive };
}

test('a message of the cluster is authentic, once', () => {
  const { sender, receive } = startPair();
  const text = sender.sign(CHANNEL, REQUEST);
  expect([receive(text), receive(text)]).toEqual([true, false]);
  expect(receive(sender.sign(CHANNEL, { ...REQUEST, id: 'r2' }))).toBe(true);
});

test('fields keep their place for processes that do not know signatures', () => {
  const { sender } = startPair();
  const sent = JSON.parse(sender.sign(CHANNEL, REQUEST));
  expect(sent).toMatchObject({ id: 'r1', kind: 'log level', body: { level: 'silent' } });
});

test.each<[what: string, change: (message: Record<string, unknown>) => object]>([
  ['without a signature', ({ mac: _, ...rest }) => rest],
  ['without a time', ({ at: _, ...rest }) => rest],
  ['with another body', (message) => ({ ...message, body: { level: 'trace' } })],
  ['with another kind', (message) => ({ ...message, kind: 'status' })],
  ['with another time', (message) => ({ ...message, at: Number(message['at']) + 1 })],
  ['with a field more', (message) => ({ ...message, answer_to: 'leque:control:mine' })],
  ['with a signature that is no text', (message) => ({ ...message, mac: 5 })],
  ['with an empty signature', (message) => ({ ...message, mac: '' })],
  ['with a signature of other bytes', (message) => ({ ...message, mac: 'ü'.repeat(43) })],
])('a message %s is not authentic', (_, change) => {
  const { sender, receive } = startPair();
  const message = JSON.parse(sender.sign(CHANNEL, REQUEST));
  expect(receive(JSON.stringify(change(message)))).toBe(false);
});

test('a message is authentic neither in another channel, nor with another secret, nor late', () => {
  const { clock, sender, receive } = startPair();
  const text = sender.sign(CHANNEL, REQUEST);
  expect(receive(text, 'leque:control:answers')).toBe(false);
  expect(startPair('another-secret-of-a-cluster-012345').receive(text)).toBe(false);
  clock.advance(30_001);
  expect(receive(text)).toBe(false);
});

test('without a secret nothing is signed, and everything is taken', () => {
  const unsigned = new Signature(undefined, new FakeClock());
  expect(unsigned.sign(CHANNEL, REQUEST)).toBe(JSON.stringify(REQUEST));
  expect(unsigned.isAuthentic(CHANNEL, REQUEST)).toBe(true);
});
