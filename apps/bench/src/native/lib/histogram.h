// A log-linear histogram of µs: exact up to 127, then 64 buckets for each doubling (1.6 % wide).
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include "common.h"

#define HISTOGRAM_BUCKETS (64 * 36)

struct histogram {
  uint64_t counts[HISTOGRAM_BUCKETS];
};

static inline unsigned histogram_bucket(uint64_t value) {
  if (value < 128) return (unsigned)value;
  unsigned doublings = 57u - (unsigned)__builtin_clzll(value); // 1 for 128 to 255
  unsigned bucket = doublings * 64u + (unsigned)(value >> doublings);
  return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/** The largest value that falls into a bucket. */
static inline uint64_t histogram_upper(unsigned bucket) {
  if (bucket < 128) return bucket;
  unsigned doublings = bucket / 64u - 1u;
  return ((uint64_t)(bucket - doublings * 64u + 1u) << doublings) - 1u;
}

static inline void histogram_add(struct histogram *histogram, uint64_t value) {
  histogram->counts[histogram_bucket(value)] += 1;
}

/** Prints [[upper bound, count],…] of the buckets that have any. */
static inline void histogram_print(const struct histogram *histogram) {
  const char *separator = "";
  putchar('[');
  for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket += 1) {
    if (histogram->counts[bucket] == 0) continue;
    printf("%s[%llu,%llu]", separator, (unsigned long long)histogram_upper(bucket),
           (unsigned long long)histogram->counts[bucket]);
    separator = ",";
  }
  putchar(']');
}

#endif
