import calculateSlot from 'cluster-key-slot';

/** Enough to meet even a single slot among all. */
const ATTEMPTS = 400_000;

export interface SlotOwner {
  /** How many it has. */
  readonly slots: number;
  owns(slot: number): boolean;
}

/**
 * A name in a slot of one master, for what has to be at that master: the same for as long as it has
 * the slot.
 */
export class SlotName {
  readonly #template: (n: number) => string;
  readonly #owner: SlotOwner;
  #name: string;

  constructor(template: (n: number) => string, owner: SlotOwner) {
    this.#template = template;
    this.#owner = owner;
    this.#name = template(0);
  }

  /** In another's slot when the master has none. */
  get current(): string {
    const attempts = this.#owner.slots > 0 ? ATTEMPTS : 0;
    for (let n = 0; n < attempts && !this.#owner.owns(calculateSlot(this.#name)); n += 1) {
      this.#name = this.#template(n);
    }
    return this.#name;
  }
}
