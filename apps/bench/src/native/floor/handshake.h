// The server's side of the WebSocket handshake (RFC 6455, section 4.2.2).
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#include "../lib/common.h"

#define HANDSHAKE_ANSWER_BYTES 160

/** Writes the 101 answer to a whole request; returns its length, or 0 if it is no upgrade. */
size_t handshake_answer(struct span request, char *answer);

#endif
