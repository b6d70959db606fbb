export interface TailEvent {
  readonly type: string;
  readonly timestamp: string;
  readonly data: unknown;
  readonly cursor?: string;
}

/**
 * A message of the channel: `ready` has its position, `gap` reports that events are lost for good.
 */
export type Followed =
  | {
      readonly kind: 'ready' | 'gap';
      readonly cursor: string | undefined;
      /** Whether it answers the command that began. */
      readonly isAnswer?: boolean;
    }
  | ({ readonly kind: 'event'; readonly text: string } & TailEvent);
