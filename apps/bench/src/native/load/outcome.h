// The outcome of a run: every delivery that was due, against those that came.
#ifndef OUTCOME_H
#define OUTCOME_H

#include "connection.h"

struct outcome {
  uint64_t expected;
  uint64_t delivered; // each once
  uint64_t delivered_measured;
  uint64_t lost;
  uint64_t duplicates;
};

/** The frames of a channel's publications in one format; byte counts are compared with them. */
struct weight {
  uint64_t publications;
  uint64_t bytes;
};

/** Notes which connections are to receive what is published from now on. */
void begin_outcome(struct pool *pool);

/** True once as much has arrived as was published. */
bool all_arrived(const struct pool *pool, const uint64_t *published);

/** Compares connection by connection. Those that differ by bytes are adrift from then on. */
struct outcome assess(struct pool *pool, const uint64_t *published);

#endif
