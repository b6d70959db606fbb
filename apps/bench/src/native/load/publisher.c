#include "publisher.h"
#include "../stream/finder.h"
#include "../stream/stamps.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_BYTES (256u << 10)
#define CONNECT_ATTEMPTS 20
#define CONNECT_PAUSE_US 100000
#define ANSWERS_EVERY_US 1000
#define LONGEST_SLEEP_US 10000
/** After this long without progress nothing more is expected of the server. */
#define PATIENCE_US 10000000
#define ACK_PATIENCE_US 5000000

/** State that only the thread uses. */
struct outlet {
  struct publisher *publisher;
  int fd;
  char *buffer;
  size_t room;
  size_t filled;
  size_t written;
  uint64_t oldest_us; // intended time of the first publication in the buffer
  uint64_t sent[MAX_CLASSES];
  uint64_t next_us[MAX_CLASSES];
  struct finder acks;
  struct finder errors;
  uint64_t answers_read_us;
};

static void *publish(void *argument);

void publisher_create(struct publisher *publisher, const struct spec *spec) {
  publisher->spec = spec;
  publisher->numbers = allocate(spec->channel_count, sizeof *publisher->numbers);
  publisher->published = allocate(spec->channel_count, sizeof *publisher->published);
  atomic_init(&publisher->finished, true);
}

void publisher_start(struct publisher *publisher) {
  memset(publisher->published, 0, publisher->spec->channel_count * sizeof *publisher->published);
  memset(publisher->class_published, 0, sizeof publisher->class_published);
  publisher->total = publisher->acked = publisher->errors = publisher->late_max_us = 0;
  atomic_store(&publisher->finished, false);
  if (pthread_create(&publisher->thread, NULL, publish, publisher) != 0) fail("no thread");
}

void publisher_join(struct publisher *publisher) { pthread_join(publisher->thread, NULL); }

/** -1 with errno if it does not work at once. */
static int try_to_connect(const struct spec *spec) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
  if (fd < 0) return -1;
  struct timeval patience = {.tv_sec = 5};
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const struct sockaddr *address = (const struct sockaddr *)&spec->publish;
  struct span preamble = spec->preamble;
  if (connect(fd, address, sizeof spec->publish) == 0 &&
      send(fd, preamble.at, preamble.length, MSG_NOSIGNAL) == (ssize_t)preamble.length) {
    return fd;
  }
  close(fd);
  return -1;
}

static void connect_outlet(struct outlet *outlet) {
  for (unsigned attempt = 1; (outlet->fd = try_to_connect(outlet->publisher->spec)) < 0;
       attempt += 1) {
    if (attempt == CONNECT_ATTEMPTS) fail("cannot connect to publish: %s", strerror(errno));
    usleep(CONNECT_PAUSE_US);
  }
  finder_start(&outlet->acks, outlet->publisher->spec->publish_ack);
  finder_start(&outlet->errors, outlet->publisher->spec->publish_error);
}

/** Publications under way are gone with the connection, and count as lost. */
static void reconnect(struct outlet *outlet) {
  outlet->publisher->errors += 1;
  outlet->filled = outlet->written = 0;
  close(outlet->fd);
  connect_outlet(outlet);
}

static void read_answers(struct outlet *outlet) {
  char answers[16384];
  ssize_t got;
  while ((got = recv(outlet->fd, answers, sizeof answers, MSG_DONTWAIT)) > 0) {
    struct span input = {answers, (size_t)got};
    outlet->publisher->acked += finder_feed(&outlet->acks, input);
    outlet->publisher->errors += finder_feed(&outlet->errors, input);
    if ((size_t)got < sizeof answers) return;
  }
  if (got == 0 || (errno != EAGAIN && errno != EINTR)) reconnect(outlet);
}

static void append(struct outlet *outlet, unsigned channel, uint64_t intended_us) {
  struct publisher *publisher = outlet->publisher;
  const struct publication_template *template = &publisher->spec->templates[channel];
  char *at = outlet->buffer + outlet->filled;
  memcpy(at, template->bytes.at, template->bytes.length);
  write_digits(at + template->time_at, TIME_DIGITS, intended_us);
  write_digits(at + template->number_at, NUMBER_DIGITS, ++publisher->numbers[channel]);
  if (outlet->filled == 0) outlet->oldest_us = intended_us;
  outlet->filled += template->bytes.length;
  publisher->published[channel] += 1;
  publisher->total += 1;
}

/** The class whose publication is due first. */
static unsigned next_class(const struct outlet *outlet) {
  unsigned next = 0;
  for (unsigned class = 1; class < outlet->publisher->spec->class_count; class += 1) {
    if (outlet->next_us[class] < outlet->next_us[next]) next = class;
  }
  return next;
}

static void append_next(struct outlet *outlet, unsigned class) {
  struct publisher *publisher = outlet->publisher;
  const struct channel_class *channels = &publisher->spec->classes[class];
  uint64_t index = outlet->sent[class]++;
  append(outlet, channels->first + (unsigned)(index % (channels->last - channels->first + 1)),
         outlet->next_us[class]);
  publisher->class_published[class] += 1;
  double offset_us = (double)outlet->sent[class] * 1e6 / publisher->rates[class];
  outlet->next_us[class] = publisher->start_us + (uint64_t)offset_us;
}

/** Fills the buffer with what is due, as far as it has room; returns when the next one is due. */
static uint64_t append_due(struct outlet *outlet, uint64_t now) {
  for (;;) {
    unsigned class = next_class(outlet);
    uint64_t due = outlet->next_us[class];
    if (due > now || due >= outlet->publisher->stop_us || outlet->filled > outlet->room) return due;
    append_next(outlet, class);
  }
}

/** Writes as much as the socket takes; waits a little if that is nothing. */
static void write_some(struct outlet *outlet) {
  ssize_t sent = send(outlet->fd, outlet->buffer + outlet->written,
                      outlet->filled - outlet->written, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && errno == EAGAIN) {
    struct pollfd wait = {.fd = outlet->fd, .events = POLLIN | POLLOUT};
    poll(&wait, 1, 10);
    read_answers(outlet); // a server may take no more before its answers are read
    return;
  }
  if (sent < 0 && errno != EINTR) {
    reconnect(outlet);
    return;
  }
  if (sent > 0) outlet->written += (size_t)sent;
  if (outlet->written < outlet->filled) return;
  uint64_t late = now_us() - outlet->oldest_us;
  if (late > outlet->publisher->late_max_us) outlet->publisher->late_max_us = late;
  outlet->filled = outlet->written = 0;
}

static void sleep_until(uint64_t at_us) {
  struct timespec at = {(time_t)(at_us / 1000000), (long)(at_us % 1000000) * 1000};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static void follow_schedule(struct outlet *outlet) {
  uint64_t stop = outlet->publisher->stop_us;
  for (;;) {
    uint64_t now = now_us();
    uint64_t due = append_due(outlet, now);
    if (outlet->filled > 0) write_some(outlet);
    if (outlet->filled == 0 && due >= stop) return;
    if (now > stop + PATIENCE_US) break;
    if (now - outlet->answers_read_us > ANSWERS_EVERY_US) {
      read_answers(outlet);
      outlet->answers_read_us = now;
    }
    uint64_t latest = now + LONGEST_SLEEP_US;
    if (outlet->filled == 0) sleep_until(due < latest ? due : latest);
  }
  outlet->publisher->errors += 1; // the server takes no more: the rest will show as lost
}

static void await_acks(struct outlet *outlet) {
  struct publisher *publisher = outlet->publisher;
  uint64_t deadline = now_us() + ACK_PATIENCE_US;
  while (publisher->acked + publisher->errors < publisher->total && now_us() < deadline) {
    uint64_t before = publisher->acked + publisher->errors;
    struct pollfd wait = {.fd = outlet->fd, .events = POLLIN};
    poll(&wait, 1, 10);
    read_answers(outlet);
    if (publisher->acked + publisher->errors > before) deadline = now_us() + ACK_PATIENCE_US;
  }
}

static void plan(struct outlet *outlet) {
  const struct publisher *publisher = outlet->publisher;
  for (unsigned class = 0; class < publisher->spec->class_count; class += 1) {
    outlet->next_us[class] = publisher->rates[class] > 0 ? publisher->start_us : UINT64_MAX;
  }
}

static void make_buffer(struct outlet *outlet) {
  const struct spec *spec = outlet->publisher->spec;
  size_t longest = 0;
  for (unsigned channel = 0; channel < spec->channel_count; channel += 1) {
    size_t length = spec->templates[channel].bytes.length;
    if (length > longest) longest = length;
  }
  outlet->room = BUFFER_BYTES;
  outlet->buffer = allocate(outlet->room + longest, 1);
}

static void *publish(void *argument) {
  struct publisher *publisher = argument;
  struct outlet *outlet = allocate(1, sizeof *outlet);
  outlet->publisher = publisher;
  prctl(PR_SET_TIMERSLACK, 1ul); // the default adds 50 µs to every sleep
  make_buffer(outlet);
  connect_outlet(outlet);
  plan(outlet);
  follow_schedule(outlet);
  read_answers(outlet);
  if (publisher->spec->publish_ack.length > 0) await_acks(outlet);
  close(outlet->fd);
  free(outlet->buffer);
  free(outlet);
  atomic_store(&publisher->finished, true);
  return NULL;
}
