import { FakeClock, FakeConnection } from '@leque/testkit/fakes';
import { FanOutCounters } from '../src/writing/fan-out-counters.ts';
import { Flusher } from '../src/writing/flusher.ts';
import { Outbox } from '../src/writing/outbox.ts';
import { Pace } from '../src/writing/pace.ts';

export const WINDOW_MS = 5;

/** A clock that writes can move forward, as they take time in a busy process. */
class BusyClock extends FakeClock {
  passed = 0;

  override monotonic(): number {
    return super.monotonic() + this.passed;
  }
}

/** Starts a flusher, and opens connections whose outboxes it flushes. */
export function startFlusher(windowMs = WINDOW_MS) {
  const clock = new BusyClock();
  const flusher = new Flusher(clock, new Pace(windowMs), new FanOutCounters().sliceSeconds);
  const open = (connection = new FakeConnection()) => {
    const outbox = new Outbox(connection, 1_000_000, new FanOutCounters());
    const send = (text: string) => {
      outbox.push({ text, byteLength: 10 } as never, 1, 0);
      flusher.touch(outbox);
    };
    return { connection, outbox, send };
  };
  return { clock, flusher, open };
}

/** A connection on which each write takes `ms` milliseconds. */
export function slowConnection(clock: BusyClock, ms: number): FakeConnection {
  const connection = new FakeConnection();
  const write = connection.write.bind(connection);
  connection.write = (frame) => {
    clock.passed += ms;
    write(frame);
  };
  return connection;
}
