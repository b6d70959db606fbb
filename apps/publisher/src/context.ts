import type { Broker, ClusterState, Control, Telemetry } from '@leque/core';
import type { Authority } from './authority.ts';
import type { Publishing } from './publishing.ts';
import type { Traces } from './traces.ts';

export interface PublisherLimits {
  /** Of one event, as it is stored and sent to clients. */
  readonly maxEventBytes: number;
  /** Of a request's body. */
  readonly maxBatchBytes: number;
  /** The time in which every request is answered, also when Redis does not answer. */
  readonly answerWithinMs: number;
}

/** What the routes work with. */
export interface PublisherContext {
  readonly broker: Broker;
  readonly state: ClusterState;
  readonly control: Control;
  readonly limits: PublisherLimits;
  readonly authority: Authority;
  readonly publishing: Publishing;
  readonly traces: Traces;
  readonly telemetry: Telemetry;
}
