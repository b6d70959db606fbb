/**
 * The life of a gateway. It serves first, also in the grace after a stop signal, in which `/readyz`
 * already reports `draining` (`startService` keeps the grace). Once it drains, newcomers are refused
 * and clients are moved away, until none is left.
 */
export class Life {
  #draining = false;

  get isDraining(): boolean {
    return this.#draining;
  }

  drain(): void {
    this.#draining = true;
  }
}
