import { LogLinear } from './log-linear.ts';
import type { LoadSpec } from './read-spec.ts';
import { Sequence } from './sequence.ts';
import type { Stamp } from './stamps.ts';

export type Phase = 'warming' | 'measuring' | 'settling';

interface ClassTally {
  delivered: number;
  readonly histogram: LogLinear;
}

/** What has arrived in one run. */
export class Tally {
  phase: Phase = 'warming';
  delivered = 0;
  deliveredMeasured = 0;
  duplicates = 0;
  reordered = 0;
  strays = 0;
  readonly classes: readonly ClassTally[];
  readonly #spec: LoadSpec;
  readonly #base: readonly number[];
  readonly #fromUs: number;
  readonly #untilUs: number;

  /** @param base per channel: number of the last publication before the run */
  constructor(spec: LoadSpec, base: readonly number[], [fromUs, untilUs]: [number, number]) {
    this.#spec = spec;
    this.#base = base;
    this.#fromUs = fromUs;
    this.#untilUs = untilUs;
    this.classes = spec.classes.map(() => ({ delivered: 0, histogram: new LogLinear() }));
  }

  /** One connection's sequences, by channel. */
  sequences(channels: readonly number[]): Map<number, Sequence> {
    return new Map(channels.map((channel) => [channel, new Sequence(this.#base[channel] ?? 0)]));
  }

  take(stamp: Stamp, sequence: Sequence | undefined, atUs: number): void {
    if (sequence === undefined || stamp.number <= (this.#base[stamp.channel] ?? 0)) {
      this.strays += 1;
      return;
    }
    const arrival = sequence.take(stamp.number);
    if (arrival === 'duplicate') this.duplicates += 1;
    else this.#count(stamp, atUs);
    if (arrival === 'late') this.reordered += 1;
  }

  #count({ channel, intendedUs }: Stamp, atUs: number): void {
    this.delivered += 1;
    if (this.phase === 'measuring') this.deliveredMeasured += 1;
    const index = this.#spec.classes.findIndex(
      ({ first, last }) => channel >= first && channel <= last,
    );
    const tally = this.classes[index];
    if (tally === undefined) return;
    tally.delivered += 1;
    if (intendedUs < this.#fromUs || intendedUs >= this.#untilUs) return;
    tally.histogram.add(Math.max(0, atUs - intendedUs));
  }
}
