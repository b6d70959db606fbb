import { Counter, Gauge, type Registry } from 'prom-client';

/** A number that lives somewhere else and is read when somebody scrapes. */
export interface Reading {
  /** A counter only grows while the process lives. */
  readonly kind: typeof Counter | typeof Gauge;
  readonly name: string;
  readonly help: string;
  readonly read: () => number;
}

export function addReadings(registry: Registry, readings: readonly Reading[]): void {
  for (const { kind, name, help, read } of readings) {
    const options = { name, help, registers: [registry] };
    if (kind === Gauge) {
      new Gauge({
        ...options,
        collect() {
          this.set(read());
        },
      });
    } else {
      new Counter({
        ...options,
        collect() {
          this.reset();
          this.inc(read());
        },
      });
    }
  }
}
