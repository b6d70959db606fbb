import type { Broker, Clock, ClusterState, Control, GrantSigner, Telemetry } from '@leque/core';
import type { UnaddressedPolicy } from '@leque/protocol';
import type { DeliveryReports } from '../delivery-report/delivery-reports.ts';
import type { Authority } from '../http/authority.ts';
import type { HistoryReads } from '../http/history-reads.ts';
import type { RateLimits } from '../http/rate-limits.ts';
import type { EventChecks } from '../publishing/event-checks.ts';
import type { Publishing } from '../publishing/publishing.ts';

export interface PublisherLimits {
  /** Largest size of one event, as it is stored and sent to clients. */
  readonly maxEventBytes: number;
  /** Largest body of a request that publishes. */
  readonly maxBatchBytes: number;
  /** Milliseconds in which every request is answered, also when Redis does not answer. */
  readonly answerWithinMs: number;
  /** Whose `traceparent` is followed and passed on to clients. */
  readonly trustTraceparent: 'keys' | 'all' | 'none';
  /** Publications that each process remembers for delivery reports; 0 turns reports off. */
  readonly journalEntries: number;
}

/** The collaborators of the routes. */
export interface PublisherContext {
  readonly broker: Broker;
  readonly state: ClusterState;
  readonly control: Control;
  readonly clock: Clock;
  /** Undefined where no secret is set to sign grants with. */
  readonly grantSigner: GrantSigner | undefined;
  readonly limits: PublisherLimits;
  readonly authority: Authority;
  readonly rates: RateLimits;
  readonly historyReads: HistoryReads;
  readonly checks: EventChecks;
  readonly publishing: Publishing;
  /** Decides what `POST /api/publish` does with an event that names nobody. */
  readonly unaddressed: UnaddressedPolicy;
  readonly reports: DeliveryReports;
  readonly telemetry: Telemetry;
}
