#include "stamps.h"

static const char opening[] = "\"t\":\"";
static const char before_channel[] = "\",\"c\":\"";
static const char before_number[] = "\",\"n\":\"";
#define OPENING_BYTES (sizeof opening - 1)
#define SEPARATOR_BYTES (sizeof before_channel - 1)

static bool read_digits(const char *at, unsigned digits, uint64_t *value) {
  uint64_t sum = 0;
  for (unsigned index = 0; index < digits; index += 1) {
    unsigned digit = (unsigned)(at[index] - '0');
    if (digit > 9) return false;
    sum = sum * 10 + digit;
  }
  *value = sum;
  return true;
}

static bool read_stamp(const char *at, struct stamp *stamp) {
  uint64_t channel;
  at += OPENING_BYTES;
  if (!read_digits(at, TIME_DIGITS, &stamp->intended_us)) return false;
  at += TIME_DIGITS;
  if (memcmp(at, before_channel, SEPARATOR_BYTES) != 0) return false;
  at += SEPARATOR_BYTES;
  if (!read_digits(at, CHANNEL_DIGITS, &channel)) return false;
  stamp->channel = (uint32_t)channel;
  at += CHANNEL_DIGITS;
  if (memcmp(at, before_number, SEPARATOR_BYTES) != 0) return false;
  return read_digits(at + SEPARATOR_BYTES, NUMBER_DIGITS, &stamp->number);
}

/** How many bytes at the end may be the beginning of an opening. */
static size_t unfinished_opening(struct span input) {
  for (size_t length = smaller(OPENING_BYTES - 1, input.length); length > 0; length -= 1) {
    if (memcmp(input.at + input.length - length, opening, length) == 0) return length;
  }
  return 0;
}

static void carry(struct scanner *scanner, const char *at, size_t length) {
  memcpy(scanner->carry, at, length);
  scanner->carried = (uint8_t)length;
}

/** Leaves the input at its end if there is no whole stamp, and carries what may become one. */
static bool scan(struct scanner *scanner, struct span *input, struct stamp *stamp) {
  for (;;) {
    const char *found = memmem(input->at, input->length, opening, OPENING_BYTES);
    size_t left = found == NULL ? unfinished_opening(*input)
                                : input->length - (size_t)(found - input->at);
    if (found == NULL || left < STAMP_BYTES) {
      span_skip(input, input->length - left);
      carry(scanner, input->at, left);
      span_skip(input, left);
      return false;
    }
    bool valid = read_stamp(found, stamp);
    span_skip(input, input->length - left + (valid ? STAMP_BYTES : 1));
    if (valid) return true;
  }
}

/** Looks for a stamp that begins in what was carried and ends in the input. */
static bool scan_seam(struct scanner *scanner, struct span *input, struct stamp *stamp) {
  char seam[2 * STAMP_BYTES];
  size_t before = scanner->carried;
  size_t added = smaller(STAMP_BYTES - 1, input->length);
  memcpy(seam, scanner->carry, before);
  memcpy(seam + before, input->at, added);
  scanner->carried = 0;
  struct span joined = {seam, before + added};
  if (scan(scanner, &joined, stamp)) {
    span_skip(input, (size_t)(joined.at - seam) - before);
    return true;
  }
  // Still too short to tell: keep all of it. Otherwise the input is scanned by itself anyhow.
  if (added == input->length && scanner->carried > added) span_skip(input, added);
  else scanner->carried = 0;
  return false;
}

bool next_stamp(struct scanner *scanner, struct span *input, struct stamp *stamp) {
  if (input->length == 0) return false;
  if (scanner->carried > 0) {
    if (scan_seam(scanner, input, stamp)) return true;
    if (input->length == 0) return false;
  }
  return scan(scanner, input, stamp);
}
