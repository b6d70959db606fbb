#include "connection.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES (256u << 10)
/** More than a socket ever holds; nothing is copied. */
#define DISCARD_BYTES (64u << 20)
#define INTEREST (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

static void choose_sample(struct pool *pool);

void pool_create(struct pool *pool, const struct spec *spec, struct tally *tally) {
  pool->spec = spec;
  pool->tally = tally;
  pool->prompt = epoll_create1(EPOLL_CLOEXEC);
  pool->lazy = epoll_create1(EPOLL_CLOEXEC);
  pool->connections = allocate(spec->connections, sizeof *pool->connections);
  for (unsigned index = 0; index < spec->connections; index += 1) {
    struct connection *connection = &pool->connections[index];
    connection->fd = -1;
    connection->member = &spec->members[index];
    connection->kind = &spec->kinds[connection->member->kind];
    connection->stalled = index >= spec->connections - spec->stalled;
    connection->reading = spec->count_bytes ? COUNTED : WALKED;
  }
  choose_sample(pool);
}

static void parse(struct connection *connection) {
  connection->reading = PARSED;
  connection->subscriptions =
      allocate(connection->member->channel_count, sizeof *connection->subscriptions);
}

/** Marks what a connection covers; true if anything was not covered before. */
static bool cover(bool *covered, const struct spec *spec, const struct member *member) {
  bool news = false;
  for (unsigned index = 0; index < member->channel_count; index += 1) {
    bool *one = &covered[(size_t)member->format * spec->channel_count + member->channels[index]];
    news |= !*one;
    *one = true;
  }
  return news;
}

/** One in so many, and then more until each format of each channel has one. */
static void choose_sample(struct pool *pool) {
  const struct spec *spec = pool->spec;
  unsigned readers = spec->connections - spec->stalled;
  bool *covered = allocate((size_t)MAX_FORMATS * spec->channel_count, sizeof *covered);
  for (unsigned index = 0; index < readers; index += spec->sample) {
    parse(&pool->connections[index]);
    cover(covered, spec, pool->connections[index].member);
  }
  for (unsigned index = 0; index < readers; index += 1) {
    struct connection *connection = &pool->connections[index];
    if (connection->reading == PARSED) continue;
    if (cover(covered, spec, connection->member)) parse(connection);
  }
  free(covered);
}

static int epoll_of(const struct pool *pool, const struct connection *connection) {
  return connection->reading == PARSED ? pool->prompt : pool->lazy;
}

static void open_connection(struct pool *pool, unsigned index) {
  struct connection *connection = &pool->connections[index];
  const struct sockaddr_in *target = &pool->spec->targets[index % pool->spec->target_count];
  int yes = 1;
  connection->state = CONNECTING;
  pool->opening += 1;
  connection->handshake = allocate(1, sizeof *connection->handshake);
  finder_start(&connection->handshake->ready, connection->kind->ready);
  connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (connect(connection->fd, (const struct sockaddr *)target, sizeof *target) != 0 &&
      errno != EINPROGRESS) {
    end_connection(pool, connection, strerror(errno));
    return;
  }
  struct epoll_event event = {.events = INTEREST, .data.ptr = connection};
  epoll_ctl(epoll_of(pool, connection), EPOLL_CTL_ADD, connection->fd, &event);
}

void open_more(struct pool *pool) {
  const struct spec *spec = pool->spec;
  while (pool->unopened < spec->connections && pool->opening < spec->connect_batch) {
    open_connection(pool, pool->unopened++);
  }
  uint64_t now = pool->again > 0 ? now_us() : 0;
  for (unsigned index = 0; index < pool->unopened && pool->again > 0; index += 1) {
    struct connection *connection = &pool->connections[index];
    if (connection->state != AGAIN || connection->again_us > now) continue;
    if (pool->opening == spec->connect_batch) return;
    pool->again -= 1;
    open_connection(pool, index);
  }
}

/** Retries after a random time, like clients that received Retry-After. */
static void come_again(struct pool *pool, struct connection *connection) {
  connection->state = AGAIN;
  connection->again_us = now_us() + (uint64_t)rand() % pool->spec->retry_ms * 1000;
  pool->again += 1;
  pool->refused += 1;
}

void fail_the_rest(struct pool *pool) {
  pool->given_up = true;
  for (unsigned index = 0; index < pool->spec->connections; index += 1) {
    struct connection *connection = &pool->connections[index];
    if (connection->state == UNOPENED || connection->state == AGAIN) pool->failed += 1;
    if (connection->state < OPEN && connection->fd >= 0) {
      end_connection(pool, connection, "not ready before the deadline");
    }
  }
  pool->unopened = pool->spec->connections;
}

void stall(struct pool *pool, bool stop) {
  unsigned first = pool->spec->connections - pool->spec->stalled;
  for (unsigned index = first; index < pool->spec->connections; index += 1) {
    struct connection *connection = &pool->connections[index];
    if (connection->state != OPEN) continue;
    struct epoll_event event = {.events = stop ? EPOLLET : INTEREST, .data.ptr = connection};
    epoll_ctl(epoll_of(pool, connection), EPOLL_CTL_MOD, connection->fd, &event);
  }
}

void end_connection(struct pool *pool, struct connection *connection, const char *reason) {
  if (connection->state > OPEN) return;
  bool was_open = connection->state == OPEN;
  connection->state = ENDED;
  if (was_open && connection->stalled) {
    pool->stalled_closed += 1;
  } else if (was_open) {
    pool->closed += 1;
  } else {
    pool->opening -= 1;
    if (pool->reason[0] == '\0') snprintf(pool->reason, sizeof pool->reason, "%s", reason);
    if (pool->spec->retry_ms > 0 && !pool->given_up) come_again(pool, connection);
    else pool->failed += 1;
  }
  if (connection->fd >= 0) close(connection->fd);
  connection->fd = -1;
  free(connection->handshake);
  connection->handshake = NULL;
}

bool send_small(struct pool *pool, struct connection *connection, struct span bytes) {
  if (bytes.length == 0) return true;
  ssize_t sent = send(connection->fd, bytes.at, bytes.length, MSG_NOSIGNAL);
  if (sent == (ssize_t)bytes.length) return true;
  end_connection(pool, connection, sent < 0 ? strerror(errno) : "the socket takes no more");
  return false;
}

static void finish_connecting(struct pool *pool, struct connection *connection) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    end_connection(pool, connection, strerror(error));
    return;
  }
  connection->state = UPGRADING;
  send_small(pool, connection, connection->kind->request);
}

static void finish_upgrade(struct pool *pool, struct connection *connection) {
  struct handshake *handshake = connection->handshake;
  const char *end = memmem(handshake->answer, handshake->length, "\r\n\r\n", 4);
  bool upgraded = memmem(handshake->answer, smaller(handshake->length, 16), " 101", 4) != NULL;
  if (end == NULL && handshake->length < sizeof handshake->answer) return;
  if (end == NULL || !upgraded) {
    handshake->answer[smaller(handshake->length, 200)] = '\0';
    handshake->answer[strcspn(handshake->answer, "\r\n")] = '\0';
    end_connection(pool, connection, handshake->answer);
    return;
  }
  connection->state = WAITING;
  if (!send_small(pool, connection, connection->kind->after_upgrade)) return;
  struct span rest = {end + 4, handshake->length - (size_t)(end + 4 - handshake->answer)};
  char copy[sizeof handshake->answer]; // the handshake ends as soon as the connection is ready
  memcpy(copy, rest.at, rest.length);
  take_bytes(pool, connection, (struct span){copy, rest.length});
}

static void take_answer(struct pool *pool, struct connection *connection, struct span input) {
  struct handshake *handshake = connection->handshake;
  size_t taken = smaller(input.length, sizeof handshake->answer - handshake->length);
  memcpy(handshake->answer + handshake->length, input.at, taken);
  handshake->length += taken;
  span_skip(&input, taken);
  finish_upgrade(pool, connection);
  if (input.length > 0 && (connection->state == WAITING || connection->state == OPEN)) {
    take_bytes(pool, connection, input);
  }
}

static void note_read(struct pool *pool, const struct connection *connection, size_t bytes) {
  pool->tally->bytes += bytes;
  if (connection->reading == PARSED || bytes <= pool->largest_read) return;
  pool->largest_read = bytes;
}

/** The kernel throws the bytes away without copying them, and says how many there were. */
static ssize_t discard(struct pool *pool, struct connection *connection) {
  ssize_t got = recv(connection->fd, NULL, DISCARD_BYTES, MSG_TRUNC);
  if (got <= 0) return got;
  note_read(pool, connection, (size_t)got);
  connection->received[pool->tally->phase] += (uint64_t)got;
  pool->tally->counted += (uint64_t)got;
  return got;
}

static ssize_t read_bytes(struct pool *pool, struct connection *connection) {
  static char buffer[READ_BYTES];
  ssize_t got = recv(connection->fd, buffer, sizeof buffer, 0);
  if (got <= 0) return got;
  if (connection->reading == PARSED) pool->read_us = now_us();
  note_read(pool, connection, (size_t)got);
  struct span input = {buffer, (size_t)got};
  if (connection->state == UPGRADING) take_answer(pool, connection, input);
  else take_bytes(pool, connection, input);
  return got;
}

static bool only_counts(const struct pool *pool, const struct connection *connection) {
  return connection->reading == COUNTED && connection->state == OPEN && !connection->stalled &&
         (pool->running || connection->adrift);
}

/** Reads until nothing is left: epoll tells only once. */
static void read_all(struct pool *pool, struct connection *connection, bool ending) {
  while (connection->state <= OPEN) {
    bool counts = only_counts(pool, connection);
    size_t asked = counts ? DISCARD_BYTES : READ_BYTES;
    ssize_t got = counts ? discard(pool, connection) : read_bytes(pool, connection);
    if (got > 0 && ((size_t)got == asked || ending)) continue;
    if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR))) return;
    end_connection(pool, connection, got == 0 ? "closed by the server" : strerror(errno));
  }
}

void attend(struct pool *pool, struct connection *connection, uint32_t events) {
  if (connection->state > OPEN) return; // an event that was fetched before it ended
  if (connection->state == CONNECTING) finish_connecting(pool, connection);
  bool ending = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if ((events & EPOLLIN) != 0 || ending) read_all(pool, connection, ending);
}
