// Walks the WebSocket frames of a stream without collecting them.
#ifndef FRAMES_H
#define FRAMES_H

#include "../lib/common.h"

enum opcode { CONTINUATION = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

/** Where a stream is between two reads, which may be anywhere, even within a frame's header. */
struct walker {
  uint64_t frame_bytes; // header and payload of the frame that is under way
  uint64_t remaining;   // of its payload
  uint8_t header[14];
  uint8_t header_length; // bytes of an unfinished header
  uint8_t opcode;
  bool inside;
  bool fresh; // nothing of the frame has been handed out
};

/** A frame's payload, or as much of it as one read brought. */
struct piece {
  struct span payload;
  uint64_t frame_bytes;
  uint8_t opcode;
  bool first;
  bool last;
};

/** The largest payload of a control frame, or of one whose header is short. */
#define SHORT_PAYLOAD 125

/** Takes the next piece off the input; false when the input is used up. */
bool next_piece(struct walker *walker, struct span *input, struct piece *piece);

/** True between two frames, where reading can start afresh. */
static inline bool between_frames(const struct walker *walker) {
  return !walker->inside && walker->header_length == 0;
}

/** Writes a masked frame of up to 125 bytes, as clients must send it; returns its length. */
size_t masked_frame(char *frame, enum opcode opcode, struct span payload);

#endif
