// The floor: `floor PORT REDIS_HOST REDIS_PORT CHANNEL`. The least that a WebSocket server can do
// with one thread: relay a Redis channel to everyone, with one write per socket and wake-up.
// Bytes that clients send after the upgrade are discarded.
#include "handshake.h"
#include "subscriber.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256
#define BACKLOG 4096
#define REQUEST_BYTES 8192
#define LONGEST_BACKLOG_BYTES (16u << 20)
static const char welcome[] = "\x81\x15{\"type\":\"connection\"}";

/** A client; what it did not take yet is kept up to a limit. */
struct client {
  int fd;
  unsigned place; // in the list of members; only members are relayed to
  bool member;
  size_t request_length;
  char *request; // until the upgrade
  size_t kept;
  size_t kept_from;
  size_t kept_room;
  char *keep;
  struct client *next_ended;
};

struct floor {
  int epoll;
  int listener;
  struct subscriber subscriber;
  struct client **members;
  unsigned member_count;
  unsigned member_room;
  struct client *ended; // freed when no event can name them any more
};

static void watch(struct floor *floor, int fd, void *who, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = who};
  if (epoll_ctl(floor->epoll, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll: %s", strerror(errno));
}

static void leave(struct floor *floor, struct client *client) {
  if (!client->member) return;
  struct client *last = floor->members[--floor->member_count];
  floor->members[client->place] = last;
  last->place = client->place;
  client->member = false;
}

static void end(struct floor *floor, struct client *client) {
  if (client->fd < 0) return;
  leave(floor, client);
  close(client->fd);
  client->fd = -1;
  client->next_ended = floor->ended;
  floor->ended = client;
}

static void free_ended(struct floor *floor) {
  while (floor->ended != NULL) {
    struct client *client = floor->ended;
    floor->ended = client->next_ended;
    free(client->request);
    free(client->keep);
    free(client);
  }
}

/** False if the client lags too far behind. */
static bool keep(struct client *client, const char *bytes, size_t length) {
  if (client->kept + length > LONGEST_BACKLOG_BYTES) return false;
  if (client->kept_from > 0) {
    memmove(client->keep, client->keep + client->kept_from, client->kept);
    client->kept_from = 0;
  }
  if (client->kept + length > client->kept_room) {
    client->kept_room = 2 * (client->kept + length);
    client->keep = realloc(client->keep, client->kept_room);
    if (client->keep == NULL) fail("out of memory");
  }
  memcpy(client->keep + client->kept, bytes, length);
  client->kept += length;
  return true;
}

static void send_or_keep(struct floor *floor, struct client *client, struct span bytes) {
  if (client->kept == 0) {
    ssize_t sent = send(client->fd, bytes.at, bytes.length, MSG_NOSIGNAL);
    if (sent == (ssize_t)bytes.length) return;
    if (sent < 0 && errno != EAGAIN) {
      end(floor, client);
      return;
    }
    if (sent > 0) span_skip(&bytes, (size_t)sent);
  }
  if (!keep(client, bytes.at, bytes.length)) end(floor, client);
}

static void send_kept(struct floor *floor, struct client *client) {
  if (client->kept == 0) return;
  ssize_t sent = send(client->fd, client->keep + client->kept_from, client->kept, MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno != EAGAIN) end(floor, client);
    return;
  }
  client->kept_from += (size_t)sent;
  client->kept -= (size_t)sent;
}

/** From the last to the first, as ending one puts the last in its place. */
static void relay(struct floor *floor) {
  subscriber_read(&floor->subscriber);
  struct span frames = {floor->subscriber.frames, floor->subscriber.frames_length};
  if (frames.length == 0) return;
  for (unsigned place = floor->member_count; place > 0; place -= 1) {
    send_or_keep(floor, floor->members[place - 1], frames);
  }
}

static void join(struct floor *floor, struct client *client) {
  if (floor->member_count == floor->member_room) {
    floor->member_room = floor->member_room == 0 ? 1024 : 2 * floor->member_room;
    floor->members = realloc(floor->members, floor->member_room * sizeof *floor->members);
    if (floor->members == NULL) fail("out of memory");
  }
  client->place = floor->member_count++;
  floor->members[client->place] = client;
  client->member = true;
  free(client->request);
  client->request = NULL;
}

static void upgrade(struct floor *floor, struct client *client) {
  char answer[HANDSHAKE_ANSWER_BYTES + sizeof welcome];
  size_t length = handshake_answer((struct span){client->request, client->request_length}, answer);
  if (length == 0) {
    end(floor, client);
    return;
  }
  memcpy(answer + length, welcome, sizeof welcome - 1);
  join(floor, client);
  send_or_keep(floor, client, (struct span){answer, length + sizeof welcome - 1});
}

static void read_request(struct floor *floor, struct client *client) {
  ssize_t got = recv(client->fd, client->request + client->request_length,
                     REQUEST_BYTES - client->request_length, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    end(floor, client);
    return;
  }
  client->request_length += (size_t)got;
  if (memmem(client->request, client->request_length, "\r\n\r\n", 4) != NULL) {
    upgrade(floor, client);
  } else if (client->request_length == REQUEST_BYTES) {
    end(floor, client);
  }
}

static void ignore_input(struct floor *floor, struct client *client) {
  char ignored[4096];
  ssize_t got;
  do got = recv(client->fd, ignored, sizeof ignored, 0);
  while (got > 0);
  if (got == 0 || errno != EAGAIN) end(floor, client);
}

static void attend(struct floor *floor, struct client *client, uint32_t events) {
  if (client->fd < 0) return;
  if ((events & EPOLLOUT) != 0) send_kept(floor, client);
  if (client->fd < 0 || (events & ~(uint32_t)EPOLLOUT) == 0) return;
  if (!client->member) read_request(floor, client);
  if (client->member) ignore_input(floor, client);
}

static void accept_clients(struct floor *floor) {
  int fd, yes = 1;
  while ((fd = accept4(floor->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
    struct client *client = allocate(1, sizeof *client);
    client->fd = fd;
    client->request = allocate(REQUEST_BYTES, 1);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    // Edge-triggered: a socket that is never full costs no call when it is writable.
    watch(floor, fd, client, EPOLLIN | EPOLLOUT | EPOLLET);
  }
}

static void serve(struct floor *floor) {
  struct epoll_event events[EVENTS];
  for (;;) {
    int count = epoll_wait(floor->epoll, events, EVENTS, -1);
    for (int index = 0; index < count; index += 1) {
      void *who = events[index].data.ptr;
      if (who == &floor->subscriber) relay(floor);
      else if (who == floor) accept_clients(floor);
      else attend(floor, who, events[index].events);
    }
    free_ended(floor);
  }
}

static int listen_on(const char *port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)atoi(port)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, BACKLOG) != 0) {
    fail("cannot listen on port %s: %s", port, strerror(errno));
  }
  return fd;
}

int main(int count, char **arguments) {
  if (count != 5) fail("usage: floor PORT REDIS_HOST REDIS_PORT CHANNEL");
  struct floor floor = {.epoll = epoll_create1(EPOLL_CLOEXEC)};
  struct sockaddr_in redis = {.sin_family = AF_INET,
                              .sin_port = htons((uint16_t)atoi(arguments[3]))};
  if (inet_pton(AF_INET, arguments[2], &redis.sin_addr) != 1) fail("REDIS_HOST is no IPv4 address");
  raise_file_limit(64);
  prctl(PR_SET_PDEATHSIG, SIGKILL); // nobody else would end it
  subscriber_start(&floor.subscriber, &redis, arguments[4]);
  floor.listener = listen_on(arguments[1]);
  watch(&floor, floor.subscriber.fd, &floor.subscriber, EPOLLIN);
  // Edge-triggered: with no file left for another client it would be told of it for ever.
  watch(&floor, floor.listener, &floor, EPOLLIN | EPOLLET);
  puts("ready");
  fflush(stdout);
  serve(&floor);
}
