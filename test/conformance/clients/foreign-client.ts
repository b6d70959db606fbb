import type { Inbox } from '@leque/lab';

/** A message of the server as its client has it: the envelope of raw clients, or an event's payload. */
export interface Received {
  readonly type: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** Where a client connects, and who it is. */
export interface Place {
  /** The address of a gateway, which ends and comes back. */
  readonly gateway: string;
  readonly publisher: string;
  readonly user: string;
  readonly token: string;
}

/** A client that comes back by itself, and resumes. */
export interface RunningClient extends AsyncDisposable {
  readonly inbox: Inbox<Received>;
}

export interface ForeignClient {
  readonly name: string;
  /** The type of the answer to the command that the client sends once it is connected. */
  readonly answer: string;
  /** Messages that only this client gets before anything is published for all. */
  readonly also: readonly string[];
  /** Whether handlers run at once, so that their order says nothing about that of the events. */
  readonly concurrentHandlers: boolean;
  /** The reason why it does not run on this machine. */
  readonly missing: string | undefined;
  start(place: Place): RunningClient;
}
