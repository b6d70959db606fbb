#include "frames.h"

static size_t header_size(const uint8_t *header) {
  size_t size = header[1] & 0x80 ? 6 : 2;
  unsigned length = header[1] & 0x7f;
  if (length == 126) return size + 2;
  return length == 127 ? size + 8 : size;
}

static uint64_t payload_length(const uint8_t *header) {
  unsigned length = header[1] & 0x7f;
  if (length < 126) return length;
  if (length == 126) return (uint64_t)header[2] << 8 | header[3];
  uint64_t large = 0;
  for (unsigned index = 2; index < 10; index += 1) large = large << 8 | header[index];
  return large;
}

static void begin_frame(struct walker *walker, const uint8_t *header, size_t size) {
  walker->opcode = header[0] & 0x0f;
  walker->remaining = payload_length(header);
  walker->frame_bytes = walker->remaining + size;
  walker->header_length = 0;
  walker->inside = walker->fresh = true;
}

/** The usual case, a header within one read, is decoded in place. */
static bool read_whole_header(struct walker *walker, struct span *input) {
  const uint8_t *header = (const uint8_t *)input->at;
  if (walker->header_length > 0 || input->length < 2) return false;
  size_t size = header_size(header);
  if (input->length < size) return false;
  begin_frame(walker, header, size);
  span_skip(input, size);
  return true;
}

static bool read_split_header(struct walker *walker, struct span *input) {
  while (input->length > 0) {
    walker->header[walker->header_length++] = (uint8_t)*input->at;
    span_skip(input, 1);
    if (walker->header_length < 2) continue;
    size_t size = header_size(walker->header);
    if (walker->header_length < size) continue;
    begin_frame(walker, walker->header, size);
    return true;
  }
  return false;
}

bool next_piece(struct walker *walker, struct span *input, struct piece *piece) {
  bool inside = walker->inside || read_whole_header(walker, input) ||
                read_split_header(walker, input);
  if (!inside) return false;
  if (input->length == 0 && walker->remaining > 0) return false;
  size_t length = smaller(input->length, walker->remaining);
  walker->remaining -= length;
  walker->inside = walker->remaining > 0;
  *piece = (struct piece){
      .payload = {input->at, length},
      .frame_bytes = walker->frame_bytes,
      .opcode = walker->opcode,
      .first = walker->fresh,
      .last = !walker->inside,
  };
  walker->fresh = false;
  span_skip(input, length);
  return true;
}

size_t masked_frame(char *frame, enum opcode opcode, struct span payload) {
  frame[0] = (char)(0x80 | opcode);
  frame[1] = (char)(0x80 | payload.length);
  memset(frame + 2, 0, 4); // a mask of zeros leaves the payload as it is
  memcpy(frame + 6, payload.at, payload.length);
  return payload.length + 6;
}
