import type { TransportContext } from '@leque/core';

/** What the transport needs of its node. */
export interface WsContext extends TransportContext {
  readonly nodeId: string;
  /** Whether the firehose brings project publications to who may see all projects. */
  readonly firehose: boolean;
  /** Whether publications are compressed for clients that negotiate it. */
  readonly compression: boolean;
  /** Whether a token is required; one that is presented is always verified. */
  readonly authRequired: boolean;
}
