import type { Fact, Telemetry } from '@leque/core';

/** Keeps the facts that were reported. */
export class RecordingTelemetry implements Telemetry {
  readonly facts: Fact[] = [];

  report(fact: Fact): void {
    this.facts.push(fact);
  }

  of<T extends Fact['type']>(type: T): Extract<Fact, { type: T }>[] {
    return this.facts.filter((fact): fact is Extract<Fact, { type: T }> => fact.type === type);
  }
}
