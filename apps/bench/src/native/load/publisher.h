// Publishes on a fixed schedule, from a thread and on a connection of its own.
#ifndef PUBLISHER_H
#define PUBLISHER_H

#include "spec.h"
#include <pthread.h>
#include <stdatomic.h>

struct publisher {
  const struct spec *spec;
  /** Per channel: the number of its last publication. Counts on over the runs. */
  uint64_t *numbers;

  // The schedule of this run.
  double rates[MAX_CLASSES]; // publications/s
  uint64_t start_us;
  uint64_t stop_us;

  // The result; complete once `finished`.
  uint64_t *published; // per channel
  uint64_t class_published[MAX_CLASSES];
  uint64_t total;
  uint64_t acked;
  uint64_t errors;
  uint64_t late_max_us; // from the intended time to the end of the write
  atomic_bool finished;
  pthread_t thread;
};

void publisher_create(struct publisher *publisher, const struct spec *spec);

/** Starts a run; rates, start_us and stop_us are set. */
void publisher_start(struct publisher *publisher);

/** Waits for the thread, which is about to end once `finished`. */
void publisher_join(struct publisher *publisher);

#endif
