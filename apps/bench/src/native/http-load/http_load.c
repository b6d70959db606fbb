// Sends HTTP requests over keep-alive connections and measures what becomes of them.
//
//   http_load HOST:PORT CONNECTIONS RATE SECONDS WARMUP REQUESTS_FILE STORED_TEXT
//
// RATE is requests a second over all connections; with 0 each connection sends its next request
// when the last one is answered. With a rate, requests that find no idle connection wait, and their
// latency counts from when they were due. REQUESTS_FILE has a record for each request, see files.h;
// they are sent in turn. STORED_TEXT occurs in an answer once for each event that was stored.
//
// Prints one JSON object a line: {"event":"started"}, {"event":"stopped"}, {"event":"result",…}.
// Ends when its standard input closes.
#include "../lib/files.h"
#include "../lib/histogram.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  MAX_EVENTS = 256,
  READ_SIZE = 256 * 1024,
  DRAIN_US = 10 * 1000 * 1000,
};

typedef struct {
  int fd;
  bool busy, measured;
  uint64_t due_us;        // when the request in flight was to be sent
  struct span request; // in flight
  size_t sent;
  char *in;               // the answer so far
  size_t in_length, in_capacity;
} Connection;

static struct records requests;
static size_t next_request;
static Connection *connections;
static int connection_count, epoll_fd;
static const char *stored_text;
static size_t stored_length;
static double rate;
static uint64_t begin_us, measure_from, measure_to;
static uint64_t issued; // requests sent or being sent
static uint64_t total_requests, total_stored, total_failed;
static uint64_t measured_requests, measured_stored, late_max_us;
static struct histogram histogram;
static char first_failure[256];

static void say(const char *text) {
  puts(text);
  fflush(stdout);
}

static void open_connection(Connection *connection, const struct sockaddr_in *address) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof *address) < 0)
    fail("cannot connect: %s", strerror(errno));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  *connection = (Connection){ .fd = fd, .in_capacity = READ_SIZE, .in = malloc(READ_SIZE + 1) };
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
  if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) fail("epoll_ctl: %s", strerror(errno));
}

static void watch(Connection *connection, uint32_t events) {
  struct epoll_event event = { .events = events, .data.ptr = connection };
  epoll_ctl(epoll_fd, EPOLL_CTL_MOD, connection->fd, &event);
}

static void send_rest(Connection *connection) {
  struct span request = connection->request;
  while (connection->sent < request.length) {
    ssize_t count =
      write(connection->fd, request.at + connection->sent, request.length - connection->sent);
    if (count < 0 && errno == EAGAIN) {
      watch(connection, EPOLLIN | EPOLLOUT);
      return;
    }
    if (count < 0) fail("a connection broke: %s", strerror(errno));
    connection->sent += (size_t)count;
  }
  watch(connection, EPOLLIN);
}

static void start_request(Connection *connection, uint64_t due_us) {
  uint64_t late = now_us() - due_us;
  connection->busy = true;
  connection->measured = due_us >= measure_from && due_us < measure_to;
  connection->due_us = due_us;
  connection->sent = 0;
  connection->request = requests.items[next_request++ % requests.count];
  if (connection->measured && late > late_max_us) late_max_us = late;
  issued += 1;
  send_rest(connection);
}

static uint64_t count_stored(const char *text, size_t length) {
  uint64_t count = 0;
  const char *end = text + length;
  while ((text = memmem(text, (size_t)(end - text), stored_text, stored_length))) {
    count += 1;
    text += stored_length;
  }
  return count;
}

static void finish_request(Connection *connection, size_t length) {
  uint64_t now = now_us();
  uint64_t stored = count_stored(connection->in, length);
  bool accepted = length > 12 && connection->in[9] == '2';
  total_requests += 1;
  total_stored += stored;
  if (!accepted) {
    total_failed += 1;
    if (!first_failure[0])
      for (size_t i = 0; i < length && i < sizeof first_failure - 1 && connection->in[i] >= ' '; i++)
        if (connection->in[i] != '"' && connection->in[i] != '\\')
          strncat(first_failure, &connection->in[i], 1);
  }
  // Events stored within the time count as throughput, whenever they were due.
  if (now >= measure_from && now < measure_to) {
    measured_requests += 1;
    measured_stored += stored;
  }
  if (connection->measured) histogram_add(&histogram, now - connection->due_us);
  memmove(connection->in, connection->in + length, connection->in_length - length);
  connection->in_length -= length;
  connection->busy = false;
}

// The length of the answer at the beginning of what came; 0 while it is not complete.
static size_t answer_length(Connection *connection) {
  connection->in[connection->in_length] = '\0';
  char *head_end = memmem(connection->in, connection->in_length, "\r\n\r\n", 4);
  if (!head_end) return 0;
  *head_end = '\0';
  char *field = strcasestr(connection->in, "\r\ncontent-length:");
  if (!field) fail("an answer has no Content-Length: %.60s", connection->in);
  size_t length = (size_t)(head_end - connection->in) + 4 + strtoul(field + 17, NULL, 10);
  *head_end = '\r';
  return length <= connection->in_length ? length : 0;
}

static void receive(Connection *connection) {
  for (;;) {
    if (connection->in_length == connection->in_capacity) {
      connection->in_capacity *= 2;
      connection->in = realloc(connection->in, connection->in_capacity + 1);
    }
    ssize_t count = read(connection->fd, connection->in + connection->in_length,
                         connection->in_capacity - connection->in_length);
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) fail("a connection broke: %s", strerror(errno));
    if (count == 0) fail("the server closed a connection");
    connection->in_length += (size_t)count;
    size_t length = answer_length(connection);
    if (length == 0) continue;
    finish_request(connection, length);
    return; // one request at a time, so nothing more is to come
  }
}

static Connection *idle_connection(void) {
  static int next;
  for (int tried = 0; tried < connection_count; tried += 1) {
    Connection *candidate = &connections[next++ % connection_count];
    if (!candidate->busy) return candidate;
  }
  return NULL;
}

static void start_due_requests(uint64_t now) {
  if (now >= measure_to) return;
  Connection *connection;
  if (rate == 0) {
    while ((connection = idle_connection())) start_request(connection, now_us());
    return;
  }
  for (;;) {
    uint64_t due = begin_us + (uint64_t)((double)issued * 1e6 / rate);
    if (due > now || due >= measure_to || !(connection = idle_connection())) return;
    start_request(connection, due);
  }
}

static bool anything_busy(void) {
  for (int i = 0; i < connection_count; i += 1)
    if (connections[i].busy) return true;
  return false;
}

static int wait_ms(uint64_t now) {
  if (rate == 0 || now >= measure_to) return 20;
  uint64_t due = begin_us + (uint64_t)((double)issued * 1e6 / rate);
  return due <= now ? 0 : due - now > 20000 ? 20 : (int)((due - now) / 1000);
}

static void end_with_parent(void) {
  char ignored[64];
  ssize_t count = read(STDIN_FILENO, ignored, sizeof ignored);
  if (count == 0 || (count < 0 && errno != EAGAIN)) exit(1);
}

static void print_result(double seconds) {
  printf("{\"event\":\"result\",\"requests\":%" PRIu64 ",\"stored\":%" PRIu64 ",\"failed\":%" PRIu64
         ",\"unanswered\":%d,\"measured_requests\":%" PRIu64 ",\"measured_stored\":%" PRIu64
         ",\"late_us_max\":%" PRIu64 ",\"seconds\":%.6f,\"failure\":\"%s\",\"histogram\":",
         total_requests, total_stored, total_failed, anything_busy() ? 1 : 0, measured_requests,
         measured_stored, late_max_us, seconds, first_failure);
  histogram_print(&histogram);
  say("}");
}

int main(int argc, char **argv) {
  if (argc != 8) fail("takes 7 arguments, see its source");
  struct sockaddr_in address = to_address(span_of(argv[1]));
  connection_count = atoi(argv[2]);
  rate = atof(argv[3]);
  double seconds = atof(argv[4]), warmup = atof(argv[5]);
  stored_text = argv[7];
  stored_length = strlen(stored_text);
  requests = read_records(argv[6]);
  if (requests.count == 0) fail("%s has no requests", argv[6]);
  epoll_fd = epoll_create1(0);
  connections = calloc((size_t)connection_count, sizeof *connections);
  for (int i = 0; i < connection_count; i += 1)
    open_connection(&connections[i], &address);
  fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
  struct epoll_event parent = { .events = EPOLLIN, .data.ptr = NULL };
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &parent);

  begin_us = now_us();
  measure_from = begin_us + (uint64_t)(warmup * 1e6);
  measure_to = measure_from + (uint64_t)(seconds * 1e6);
  int phase = 0; // warming up, measuring, draining
  for (;;) {
    uint64_t now = now_us();
    if (phase == 0 && now >= measure_from) say("{\"event\":\"started\"}"), phase = 1;
    if (phase == 1 && now >= measure_to) say("{\"event\":\"stopped\"}"), phase = 2;
    if (phase == 2 && (!anything_busy() || now > measure_to + DRAIN_US)) break;
    start_due_requests(now);
    struct epoll_event events[MAX_EVENTS];
    int count = epoll_wait(epoll_fd, events, MAX_EVENTS, wait_ms(now_us()));
    for (int i = 0; i < count; i += 1) {
      Connection *connection = events[i].data.ptr;
      if (!connection) {
        end_with_parent();
        continue;
      }
      if (events[i].events & EPOLLOUT) send_rest(connection);
      if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        receive(connection);
        if (!connection->busy && rate == 0 && phase < 2 && now_us() < measure_to)
          start_request(connection, now_us());
      }
    }
  }
  print_result((double)(measure_to - measure_from) / 1e6);
  return 0;
}
