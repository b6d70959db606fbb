export interface TailEvent {
  readonly type: string;
  readonly timestamp: string;
  readonly data: unknown;
  readonly cursor?: string;
}

/**
 * A message of the channel: `ready` has its position, `gap` reports that events are lost for good, and
 * `dropped` that live-only events did not come because this client read too slowly.
 */
export type Followed =
  | {
      readonly kind: 'ready' | 'gap';
      readonly cursor: string | undefined;
      /** Whether it answers the command that began. */
      readonly isAnswer?: boolean;
    }
  | { readonly kind: 'dropped'; readonly count: number; readonly cursor: undefined }
  | ({ readonly kind: 'event'; readonly text: string } & TailEvent);
