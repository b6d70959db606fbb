import calculateSlot from 'cluster-key-slot';

/** Enough to find a name even for a single slot among all. */
const ATTEMPTS = 400_000;

export interface SlotOwner {
  /** The number of its slots. */
  readonly slots: number;
  owns(slot: number): boolean;
}

/**
 * A name for something that has to be at one master: it is in a slot of that master, and changes only
 * when the master loses the slot.
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

  /** The name; in the slot of another master when this one has none. */
  get current(): string {
    const attempts = this.#owner.slots > 0 ? ATTEMPTS : 0;
    for (let n = 0; n < attempts && !this.#owner.owns(calculateSlot(this.#name)); n += 1) {
      this.#name = this.#template(n);
    }
    return this.#name;
  }
}
