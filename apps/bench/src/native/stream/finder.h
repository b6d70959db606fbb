// Counts how often a text occurs in a stream, also where it is split between two reads.
#ifndef FINDER_H
#define FINDER_H

#include "../lib/common.h"

#define LONGEST_NEEDLE 255

struct finder {
  struct span needle;
  size_t carried;
  char carry[LONGEST_NEEDLE];
};

static inline void finder_start(struct finder *finder, struct span needle) {
  if (needle.length > LONGEST_NEEDLE) fail("a text to look for is longer than %d", LONGEST_NEEDLE);
  finder->needle = needle;
  finder->carried = 0;
}

static inline unsigned long finder_count(struct span *input, struct span needle) {
  unsigned long count = 0;
  const char *found;
  while ((found = memmem(input->at, input->length, needle.at, needle.length)) != NULL) {
    count += 1;
    span_skip(input, (size_t)(found - input->at) + needle.length);
  }
  return count;
}

/** Occurrences that end in this input. An empty needle is never found. */
static inline unsigned long finder_feed(struct finder *finder, struct span input) {
  size_t needle = finder->needle.length;
  if (needle == 0) return 0;
  char seam[2 * LONGEST_NEEDLE];
  size_t added = smaller(needle - 1, input.length);
  memcpy(seam, finder->carry, finder->carried);
  memcpy(seam + finder->carried, input.at, added);
  struct span joined = {seam, finder->carried + added};
  unsigned long count = finder_count(&joined, finder->needle);
  if (added < input.length) {
    // The seam overlaps the input: what it has found must not be found again.
    if (count > 0) span_skip(&input, (size_t)(joined.at - seam) - finder->carried);
    count += finder_count(&input, finder->needle);
    joined = input;
  }
  size_t kept = smaller(needle - 1, joined.length);
  memmove(finder->carry, joined.at + joined.length - kept, kept);
  finder->carried = kept;
  return count;
}

#endif
