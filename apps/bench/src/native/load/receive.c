// Receives frames on a connection that has been upgraded to a WebSocket.
#include "connection.h"

static struct subscription *find_subscription(struct connection *connection, unsigned channel) {
  unsigned low = 0, high = connection->member->channel_count;
  while (low < high) {
    unsigned middle = (low + high) / 2;
    if (connection->member->channels[middle] < channel) low = middle + 1;
    else high = middle;
  }
  bool found = low < connection->member->channel_count &&
               connection->member->channels[low] == channel;
  return found ? &connection->subscriptions[low] : NULL;
}

static void take_publication(struct pool *pool, struct connection *connection,
                             const struct arrival *arrival) {
  struct tally *tally = pool->tally;
  if (connection->reading == PARSED) {
    tally_arrival(tally, find_subscription(connection, arrival->stamp.channel), arrival);
    return;
  }
  connection->received[tally->phase] += 1;
  tally->walked += 1;
}

static void take_payload(struct pool *pool, struct connection *connection,
                         const struct piece *piece) {
  struct span payload = piece->payload;
  struct arrival arrival = {.at_us = pool->read_us};
  if (piece->first) connection->frame_taken = false;
  while (next_stamp(&connection->scanner, &payload, &arrival.stamp)) {
    // Outside of a run there is nothing to compare it with.
    if (!pool->running || connection->stalled) continue;
    if (arrival.stamp.channel >= pool->spec->channel_count) continue;
    arrival.frame_bytes = connection->frame_taken ? 0 : piece->frame_bytes;
    connection->frame_taken = true;
    take_publication(pool, connection, &arrival);
  }
}

/** The whole payload of a short frame, which may have come in pieces; else false. */
static bool collect(struct connection *connection, const struct piece *piece, struct span *whole) {
  if (piece->first && piece->last) {
    *whole = piece->payload;
    return whole->length <= SHORT_PAYLOAD;
  }
  if (piece->first) connection->small_length = 0;
  if (piece->frame_bytes > SHORT_PAYLOAD + 2) return false;
  memcpy(connection->small + connection->small_length, piece->payload.at, piece->payload.length);
  connection->small_length += (uint8_t)piece->payload.length;
  *whole = (struct span){connection->small, connection->small_length};
  return piece->last;
}

static void answer_ping(struct pool *pool, struct connection *connection, struct span payload) {
  char pong[6 + SHORT_PAYLOAD];
  size_t length = masked_frame(pong, PONG, payload);
  send_small(pool, connection, (struct span){pong, length});
}

static void answer_text(struct pool *pool, struct connection *connection, struct span payload) {
  for (unsigned index = 0; index < pool->spec->reply_count; index += 1) {
    const struct reply *reply = &pool->spec->replies[index];
    if (reply->when.length != payload.length) continue;
    if (memcmp(reply->when.at, payload.at, payload.length) != 0) continue;
    send_small(pool, connection, reply->answer);
    return;
  }
}

static void take_piece(struct pool *pool, struct connection *connection,
                       const struct piece *piece) {
  struct span whole;
  if (piece->opcode < CLOSE) take_payload(pool, connection, piece);
  if (piece->last) pool->frames += 1;
  if (!collect(connection, piece, &whole)) return;
  if (piece->opcode == PING) answer_ping(pool, connection, whole);
  if (piece->opcode == TEXT) answer_text(pool, connection, whole);
}

static void become_ready(struct pool *pool, struct connection *connection) {
  connection->state = OPEN;
  pool->opening -= 1;
  pool->ready += 1;
  free(connection->handshake);
  connection->handshake = NULL;
}

void take_bytes(struct pool *pool, struct connection *connection, struct span input) {
  if (connection->state == WAITING) {
    struct finder *ready = &connection->handshake->ready;
    if (ready->needle.length == 0 || finder_feed(ready, input) > 0) {
      become_ready(pool, connection);
    }
  }
  struct piece piece;
  while (connection->state <= OPEN && next_piece(&connection->walker, &input, &piece)) {
    take_piece(pool, connection, &piece);
  }
}
