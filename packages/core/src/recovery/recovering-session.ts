import type { CloseCode, Position } from '@leque/protocol';
import type { HistoryPage } from '../ports/broker.ts';
import type { Publication } from '../publication/publication.ts';
import type { HeldPublications } from './held-publications.ts';

/** The part of a session that recoveries use. */
export interface RecoveringSession {
  readonly open: boolean;
  /** Keyed by channel. */
  readonly subscriptions: { get(channel: string): RecoveringSubscription | undefined };
  /** Bytes that may still be held or queued; never negative. */
  readonly roomBytes: number;
  /** Bytes that were sent, and that the kernel has not taken yet. */
  readonly unsentBytes: number;
  /** Whether `bytes` more may be held without passing the limit (MEM). */
  canHold(bytes: number): boolean;
  /** Bytes that the publications will take as frames. */
  bytesOf(publications: readonly Publication[]): number;
  flush(): void;
  close(code: CloseCode, reason: string): void;
}

/** The part of a subscription that recoveries use; `Subscription` says what each member does. */
export interface RecoveringSubscription {
  readonly channel: string;
  readonly position: Position | undefined;
  readonly newest: Position | undefined;
  readonly held: HeldPublications | undefined;
  readonly recovered: boolean | undefined;
  readonly pending: boolean;
  needsHistory(): boolean;
  replay(page: HistoryPage): void;
  giveUpRecovery(): void;
  release(): HeldPublications | undefined;
  bring(missed: Publication): void;
  miss(position: Position | undefined): void;
  flow(): void;
}
