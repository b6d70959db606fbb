import { type Findings, noFindings } from '../audit/findings.ts';
import type { Scenario } from './scenario.ts';

/** What came of one scenario with one seed. */
export interface ScenarioResult {
  readonly scenario: string;
  readonly about: string;
  readonly seed: number;
  readonly redis: string;
  /** Acknowledged. */
  readonly events: number;
  readonly findings: Findings;
  /** Longest time, of any client, without a publication while there was load: milliseconds. */
  readonly longestPauseMs: number;
  /** Which client that was, and how long it took at worst to come back. */
  readonly slowest: string;
  /** After a fault was over, until every client had seen everything: at worst, in milliseconds. */
  readonly recoveredInMs: number;
  readonly clients: number;
  /** Connections that were established, the first ones included. */
  readonly connects: number;
  /** Requests to publish that were not answered with success, by what they were answered. */
  readonly failures: Readonly<Record<string, number>>;
  readonly slowestRefusalMs: number;
  readonly seconds: number;
  /** Empty when everything held. */
  readonly violations: readonly string[];
  readonly notes: readonly string[];
  /** Why it was not run; else undefined. */
  readonly skipped?: string;
}

/** Of a scenario that cannot be run here. */
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
