import type { Clock } from '@leque/core';
import type { Server } from 'socket.io';
import { runByItsEnd, stateOf } from '../internals/connection-state.ts';
import { NAMESPACE } from '../wire/socketio-format.ts';

const HINT =
  `the root namespace serves nothing; connect to the namespace ${NAMESPACE}: ` +
  `io("https://HOST${NAMESPACE}"), in Python connect("https://HOST", namespaces=["${NAMESPACE}"])`;
/** Time for the CONNECT to `/events`; clients send the CONNECTs of all their namespaces at once. */
const OTHERS_WITHIN_MS = 250;

/**
 * Admits clients to the root namespace, which serves nothing, when they also join `/events`: some clients
 * disconnect when one of their namespaces refuses them. Clients of Engine.IO 3 begin there without a
 * CONNECT. All others get an error with a hint. Socket.IO keeps a socket until this has decided, also
 * when its client is gone.
 */
export function serveRoot(io: Server, clock: Clock): void {
  io.use((socket, next) => {
    const state = stateOf(socket);
    const decide = () => next(state.joins ? undefined : new Error(HINT));
    if (state.protocol === 3) next();
    else if (state.joins) decide();
    else runByItsEnd(state, { clock, ms: OTHERS_WITHIN_MS }, decide);
  });
}
