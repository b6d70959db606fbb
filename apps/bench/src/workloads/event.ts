/** Size of every event's JSON. */
export const EVENT_BYTES = 181;

const DIGITS = 5;

/** A channel's index in five digits. */
export function channelName(channel: number): string {
  return String(channel).padStart(DIGITS, '0');
}

export function projectId(channel: number): string {
  return `P${channelName(channel)}`;
}

/**
 * The event of a channel, with placeholders for the time at which it is due (16 `T`, microseconds)
 * and for its number in the channel (10 `N`).
 */
export function eventTemplate(channel: number): Buffer {
  const padded = (pad: string) =>
    JSON.stringify({
      type: 'bench',
      data: { t: 'T'.repeat(16), c: channelName(channel), n: 'N'.repeat(10), pad },
      timestamp: '2026-01-01T00:00:00.000Z',
      message_id: '0'.repeat(16),
      project_id: projectId(channel),
    });
  const missing = EVENT_BYTES - Buffer.byteLength(padded(''));
  return Buffer.from(padded('x'.repeat(missing)));
}

const LARGE_BYTES = 20_000;

/** An event of 20 KB with its number near its beginning. */
export function largeEvent(channel: number, n: number): Buffer {
  const project_id = projectId(channel);
  return Buffer.from(
    JSON.stringify({ type: 'large', data: { n, pad: 'x'.repeat(LARGE_BYTES) }, project_id }),
  );
}
