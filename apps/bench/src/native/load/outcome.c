#include "outcome.h"

static bool takes_part(const struct connection *connection, enum reading reading) {
  return connection->in_run && connection->reading == reading;
}

void begin_outcome(struct pool *pool) {
  for (unsigned index = 0; index < pool->spec->connections; index += 1) {
    struct connection *connection = &pool->connections[index];
    connection->in_run = connection->state == OPEN && !connection->stalled;
    memset(connection->received, 0, sizeof connection->received);
    // Half a frame would make the bytes that follow useless for anything but counting.
    if (connection->reading == COUNTED && !between_frames(&connection->walker)) {
      connection->adrift = true;
    }
    if (connection->reading != PARSED) continue;
    for (unsigned at = 0; at < connection->member->channel_count; at += 1) {
      subscription_start(&connection->subscriptions[at],
                         pool->tally->base[connection->member->channels[at]]);
    }
  }
}

static uint64_t due(const struct connection *connection, const uint64_t *published) {
  uint64_t sum = 0;
  for (unsigned at = 0; at < connection->member->channel_count; at += 1) {
    sum += published[connection->member->channels[at]];
  }
  return sum;
}

static struct weight *weight_of(const struct pool *pool, struct weight *weights,
                                const struct connection *connection, unsigned at) {
  const struct member *member = connection->member;
  return &weights[(size_t)member->format * pool->spec->channel_count + member->channels[at]];
}

/** For each format and channel, the most that any parsed connection received. */
static struct weight *weigh(const struct pool *pool) {
  struct weight *weights =
      allocate((size_t)MAX_FORMATS * pool->spec->channel_count, sizeof *weights);
  for (unsigned index = 0; index < pool->spec->connections; index += 1) {
    const struct connection *connection = &pool->connections[index];
    if (!takes_part(connection, PARSED)) continue;
    for (unsigned at = 0; at < connection->member->channel_count; at += 1) {
      const struct subscription *subscription = &connection->subscriptions[at];
      struct weight *weight = weight_of(pool, weights, connection, at);
      if (subscription->unique <= weight->publications) continue;
      *weight = (struct weight){subscription->unique, subscription->unique_bytes};
    }
  }
  return weights;
}

/** The bytes that a connection should have received. */
static double due_bytes(const struct pool *pool, struct weight *weights,
                        const struct connection *connection, const uint64_t *published) {
  double sum = 0;
  for (unsigned at = 0; at < connection->member->channel_count; at += 1) {
    const struct weight *weight = weight_of(pool, weights, connection, at);
    if (weight->publications == 0) continue;
    double missing = (double)published[connection->member->channels[at]] /
                     (double)weight->publications;
    sum += (double)weight->bytes * missing;
  }
  return sum;
}

static uint64_t received(const struct connection *connection) {
  return connection->received[WARMING] + connection->received[MEASURING] +
         connection->received[SETTLING];
}

static void compare(struct outcome *outcome, uint64_t due, uint64_t got) {
  outcome->expected += due;
  outcome->delivered += smaller(due, got);
  if (got < due) outcome->lost += due - got;
  else outcome->duplicates += got - due;
}

static void assess_parsed(struct outcome *outcome, const struct connection *connection,
                          const uint64_t *published) {
  for (unsigned at = 0; at < connection->member->channel_count; at += 1) {
    compare(outcome, published[connection->member->channels[at]],
            connection->subscriptions[at].unique);
  }
}

/** Part of a frame too few is a frame lost; part of one too many is something else. */
static uint64_t frames_received(double bytes, double due_bytes, uint64_t due) {
  double frames = bytes * (double)due / due_bytes;
  return (uint64_t)(frames + 1e-6);
}

struct byte_count {
  uint64_t due;
  double due_bytes;
};

static void assess_counted(struct outcome *outcome, struct connection *connection,
                           const struct byte_count *count) {
  uint64_t got = received(connection);
  if (got != (uint64_t)(count->due_bytes + 0.5)) connection->adrift = true;
  // Without a frame's size nothing can be said for this connection: the parsed ones got nothing.
  if (count->due_bytes <= 0) {
    compare(outcome, count->due, 0);
    return;
  }
  compare(outcome, count->due, frames_received((double)got, count->due_bytes, count->due));
  outcome->delivered_measured += frames_received((double)connection->received[MEASURING],
                                                 count->due_bytes, count->due);
}

struct outcome assess(struct pool *pool, const uint64_t *published) {
  struct outcome outcome = {.duplicates = pool->tally->duplicates,
                            .delivered_measured = pool->tally->parsed[MEASURING]};
  struct weight *weights = weigh(pool);
  for (unsigned index = 0; index < pool->spec->connections; index += 1) {
    struct connection *connection = &pool->connections[index];
    if (takes_part(connection, PARSED)) assess_parsed(&outcome, connection, published);
    if (takes_part(connection, WALKED)) {
      compare(&outcome, due(connection, published), received(connection));
      outcome.delivered_measured += connection->received[MEASURING];
    }
    if (takes_part(connection, COUNTED)) {
      struct byte_count count = {due(connection, published),
                                 due_bytes(pool, weights, connection, published)};
      assess_counted(&outcome, connection, &count);
    }
  }
  free(weights);
  return outcome;
}

bool all_arrived(const struct pool *pool, const uint64_t *published) {
  const struct tally *tally = pool->tally;
  uint64_t parsed = 0, walked = 0;
  double counted = 0;
  struct weight *weights = weigh(pool);
  for (unsigned index = 0; index < pool->spec->connections; index += 1) {
    const struct connection *connection = &pool->connections[index];
    if (takes_part(connection, PARSED)) parsed += due(connection, published);
    if (takes_part(connection, WALKED)) walked += due(connection, published);
    if (takes_part(connection, COUNTED)) {
      counted += due_bytes(pool, weights, connection, published);
    }
  }
  free(weights);
  return tally->parsed[WARMING] + tally->parsed[MEASURING] + tally->parsed[SETTLING] >= parsed &&
         tally->walked >= walked && (double)tally->counted + 0.5 >= counted;
}
