import { TextFormat } from '@leque/testkit/fakes';
import { Batch } from '../src/fan-out/batch.ts';
import type { Filter } from '../src/fan-out/subscriber.ts';
import { Subscription } from '../src/fan-out/subscription.ts';
import type { Publication } from '../src/publication/publication.ts';
import { publication } from './samples.ts';

/** A session that records the frames sent to it. */
class Reader {
  readonly format = new TextFormat();
  congested = false;
  readonly sent: string[] = [];
  /** Types of live-only publications that were dropped. */
  readonly dropped: string[] = [];
  heldBytes = 0;
  maxHeldBytes = 1_000_000;
  readonly tooSlow = false;

  canHold(bytes: number): boolean {
    return this.heldBytes + bytes <= this.maxHeldBytes;
  }

  canHoldLive(bytes: number): boolean {
    return this.canHold(bytes);
  }

  sheds(): boolean {
    return this.congested;
  }

  drop({ type }: Publication): void {
    this.dropped.push(type);
  }

  bytesOf(publications: readonly Publication[]): number {
    return 10 * publications.length;
  }

  send(frame: object): boolean {
    this.sent.push((frame as { text: string }).text);
    return true;
  }
}

const P = 'project:P';
export const at = (offset: number, epoch = 'e') => ({ epoch, offset });
export const pages = (...offsets: number[]) => pagesOf('e', ...offsets);
export const pagesOf = (epoch: string, ...offsets: number[]) => ({
  position: at(offsets.at(-1) ?? 0, epoch),
  publications: offsets.map((offset) => publication(P, offset, epoch)),
  complete: true,
});

/** A subscription, and what offers publications to it. */
export function subscribe(accepts?: Filter) {
  const reader = new Reader();
  const subscription = new Subscription(reader, P, accepts);
  const offerOf = (epoch: string, ...offsets: number[]) => {
    for (const offset of offsets) subscription.offer(new Batch([publication(P, offset, epoch)]));
  };
  const offer = (...offsets: number[]) => offerOf('e', ...offsets);
  return { reader, subscription, offer, offerOf };
}
