import type { Fact, Telemetry } from '@leque/core';

/** Records the reported facts. */
export class RecordingTelemetry implements Telemetry {
  readonly facts: Fact[] = [];

  report(fact: Fact): void {
    this.facts.push(fact);
  }

  of<T extends Fact['type']>(type: T): Extract<Fact, { type: T }>[] {
    return this.facts.filter((fact): fact is Extract<Fact, { type: T }> => fact.type === type);
  }
}
