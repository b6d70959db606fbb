import {
  JOIN_DEADLINE_MS,
  type JoinFailure,
  reportRefusal,
  type TransportContext,
} from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import { cutConnection } from '../internals/cut-connection.ts';
import type { EngineSocket } from '../internals/private-fields.ts';
import { TRANSPORT } from '../wire/socketio-format.ts';

/** Counts connections whose clients have not presented a token, and cuts those that do not. */
export class Joiners {
  readonly #context: TransportContext;

  constructor(context: TransportContext) {
    this.#context = context;
  }

  /** The client has to present a token from now on. */
  await(conn: EngineSocket): void {
    const { joining, hub } = this.#context;
    joining.add(conn, {
      counters: hub.counters.of(TRANSPORT),
      withinMs: JOIN_DEADLINE_MS,
      cut: (reason) => this.#cut(conn, reason),
    });
  }

  /** The client has presented a token, or is gone. */
  forget(conn: EngineSocket): void {
    this.#context.joining.remove(conn);
  }

  #cut(conn: EngineSocket, reason: JoinFailure): void {
    reportRefusal(this.#context.telemetry, TRANSPORT, errorOf(reason));
    cutConnection(conn);
  }
}

function errorOf(reason: JoinFailure): ProtocolError {
  return reason === 'late'
    ? new ProtocolError('join_timeout', `no token within ${JOIN_DEADLINE_MS / 1000} s`)
    : new ProtocolError('overloaded', 'too many clients have not presented a token');
}
