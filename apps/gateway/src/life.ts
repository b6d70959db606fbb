const PHASES = ['serving', 'draining', 'closed'] as const;

/**
 * `serving` includes the grace after a stop signal, in which `/readyz` already reports `draining`
 * (`startService` keeps the grace). `draining`: newcomers are refused and clients are moved away.
 * `closed`: no client is left.
 */
export type Phase = (typeof PHASES)[number];

/** The phase of a gateway's life, which only goes forward. */
export class Life {
  #phase: Phase = 'serving';

  get phase(): Phase {
    return this.#phase;
  }

  /** Does nothing when the life is past that phase. */
  enter(phase: Phase): void {
    if (PHASES.indexOf(phase) > PHASES.indexOf(this.#phase)) this.#phase = phase;
  }
}
