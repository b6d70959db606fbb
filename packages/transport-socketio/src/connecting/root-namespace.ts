import type { Clock } from '@leque/core';
import type { Server } from 'socket.io';
import { stateOf } from '../internals/connection-state.ts';
import { NAMESPACE } from '../wire/socketio-format.ts';

const HINT = `the root namespace serves nothing; connect to ${NAMESPACE}: io("https://HOST${NAMESPACE}")`;
/** Clients that join several namespaces send all CONNECT packets at once, and wait for a second. */
const OTHERS_WITHIN_MS = 250;

/**
 * Lets clients into the root namespace, where nothing happens, when they join `/events` as well:
 * some give up everything when one of their namespaces refuses them. Revision 3 begins there without
 * having asked. Others are told where to go.
 */
export function serveRoot(io: Server, clock: Clock): void {
  io.use((socket, next) => {
    const state = stateOf(socket);
    const decide = () => next(state.joins ? undefined : new Error(HINT));
    if (state.protocol === 3) next();
    else if (state.joins) decide();
    else clock.after(OTHERS_WITHIN_MS, decide);
  });
}
