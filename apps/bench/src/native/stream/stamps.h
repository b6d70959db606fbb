// Finds the stamps of publications in payloads: intended time, channel and number.
#ifndef STAMPS_H
#define STAMPS_H

#include "../lib/common.h"

#define TIME_DIGITS 16
#define CHANNEL_DIGITS 5
#define NUMBER_DIGITS 10
#define STAMP_BYTES (5 + TIME_DIGITS + 7 + CHANNEL_DIGITS + 7 + NUMBER_DIGITS)

struct stamp {
  uint64_t intended_us;
  uint64_t number;
  uint32_t channel;
};

/** The end of the last read, if it may be the beginning of a stamp. */
struct scanner {
  uint8_t carried;
  char carry[STAMP_BYTES];
};

/** Takes the next stamp off the input; false when there is no further one. */
bool next_stamp(struct scanner *scanner, struct span *input, struct stamp *stamp);

/** Writes a number with leading zeros. */
static inline void write_digits(char *at, unsigned digits, uint64_t value) {
  for (; digits > 0; digits -= 1, value /= 10) at[digits - 1] = (char)('0' + value % 10);
}

#endif
