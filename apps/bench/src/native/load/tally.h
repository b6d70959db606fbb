// Counts the arrivals of a run, and compares them with the publications.
#ifndef TALLY_H
#define TALLY_H

#include "../lib/histogram.h"
#include "publisher.h"
#include "../stream/stamps.h"

/** Phases of a run; each arrival counts for the phase in which it arrives. */
enum phase { WARMING, MEASURING, SETTLING, PHASES };

/** How far back duplicates are told from latecomers; what is older counts as a duplicate. */
#define WINDOW 1024

/** A fully parsed connection's view of one channel. */
struct subscription {
  uint64_t highest;      // number
  uint64_t unique;       // publications of this run, each once
  uint64_t unique_bytes; // of their frames
  uint64_t seen[WINDOW / 64];
};

struct class_tally {
  uint64_t delivered;
  struct histogram histogram;
};

struct tally {
  const struct spec *spec;
  enum phase phase;
  uint64_t from_us; // publications intended from here …
  uint64_t until_us; // … to here are in the histograms
  uint64_t *base; // per channel: number of the last publication before this run
  uint8_t *class_of; // per channel
  struct class_tally *classes;
  uint64_t parsed[PHASES]; // unique publications on parsed connections
  uint64_t walked;         // publications on connections that are walked frame by frame
  uint64_t counted;        // bytes on connections that are counted by bytes
  uint64_t bytes;          // on all connections
  uint64_t duplicates;
  uint64_t reordered;
  uint64_t strays; // of an earlier run, or on a connection that did not subscribe
};

struct arrival {
  struct stamp stamp;
  uint64_t at_us;
  uint64_t frame_bytes; // 0 if the frame has been counted with an earlier publication
};

void tally_create(struct tally *tally, const struct spec *spec);

/** Begins a run: all counts are zero again. */
void tally_start(struct tally *tally, const uint64_t *numbers);

void subscription_start(struct subscription *subscription, uint64_t base);

/** Counts a publication on a parsed connection. */
void tally_arrival(struct tally *tally, struct subscription *subscription,
                   const struct arrival *arrival);

#endif
