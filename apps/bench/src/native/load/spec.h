// The spec file: what to connect to, what to say there, and what to publish.
#ifndef SPEC_H
#define SPEC_H

#include "../lib/common.h"
#include <netinet/in.h>

#define MAX_TARGETS 256
#define MAX_CLASSES 64
#define MAX_REPLIES 8
#define MAX_FORMATS 64
/** Channel indexes have five digits in a publication. */
#define MAX_CHANNELS 100000

/** The request of one kind of client, and the text that shows that its connection is ready. */
struct kind {
  struct span request;
  struct span after_upgrade;
  struct span ready;
};

struct member {
  unsigned kind;
  unsigned format;
  unsigned *channels; // ascending
  unsigned channel_count;
};

/** Channels first to last, which share a rate and a histogram. */
struct channel_class {
  unsigned first;
  unsigned last;
};

struct reply {
  struct span when;
  struct span answer;
};

struct publication_template {
  struct span bytes;
  size_t time_at;
  size_t number_at;
};

struct spec {
  struct sockaddr_in targets[MAX_TARGETS];
  unsigned target_count;
  unsigned connections;
  struct kind *kinds;
  unsigned kind_count;
  struct member *members;
  struct sockaddr_in publish;
  struct publication_template *templates; // one per channel
  unsigned channel_count;
  struct span preamble;
  struct span publish_error;
  struct span publish_ack;
  struct channel_class classes[MAX_CLASSES];
  unsigned class_count;
  struct reply replies[MAX_REPLIES];
  unsigned reply_count;
  unsigned sample;
  unsigned stalled;
  unsigned connect_batch;
  unsigned retry_ms; // who is not let in comes again after up to so long; 0 for never
  bool count_bytes; // the connections that are not in the sample
};

/** Never returns a spec that is not sound: fails with the reason instead. */
struct spec *read_spec(const char *path);

#endif
