import { type Findings, noFindings } from '../audit/findings.ts';
import type { Scenario } from './scenario.ts';

/** The result of one scenario with one seed. */
export interface ScenarioResult {
  readonly scenario: string;
  readonly about: string;
  readonly seed: number;
  readonly redis: string;
  /** Number of acknowledged events. */
  readonly events: number;
  readonly findings: Findings;
  /** Longest time of any client without a publication under load, in milliseconds. */
  readonly longestPauseMs: number;
  /** The client with the longest pause, and its longest time to reconnect. */
  readonly slowest: string;
  /** Longest time until every client had caught up after a fault, in milliseconds. */
  readonly recoveredInMs: number;
  readonly clients: number;
  /** Established connections, including the first of each client. */
  readonly connects: number;
  /** Failed publish requests, by the status of their answer. */
  readonly failures: Readonly<Record<string, number>>;
  readonly slowestRefusalMs: number;
  readonly seconds: number;
  /** Empty when everything held. */
  readonly violations: readonly string[];
  readonly notes: readonly string[];
  /** Why the scenario was not run; undefined when it was. */
  readonly skipped?: string;
}

/** The result of a scenario that cannot run here. */
export function skippedResult(
  { name, about }: Scenario,
  seed: number,
  skipped: string,
): ScenarioResult {
  return {
    scenario: name,
    about,
    seed,
    redis: '',
    events: 0,
    findings: noFindings(),
    longestPauseMs: 0,
    slowest: '',
    recoveredInMs: 0,
    clients: 0,
    connects: 0,
    failures: {},
    slowestRefusalMs: 0,
    seconds: 0,
    violations: [],
    notes: [],
    skipped,
  };
}
