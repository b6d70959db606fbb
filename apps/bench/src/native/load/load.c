// The load generator: `load SPEC_FILE`. Prints one JSON object a line, reads commands on stdin.
#include "outcome.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS 64
#define READY_DEADLINE_US 60000000
/**
 * How often the connections that are not parsed are read. Each read costs an acknowledgement, so
 * the fewer the better; but no receive buffer may come near to full, which would slow the server.
 */
#define LAZY_MIN_US 1000
#define LAZY_MAX_US 20000
#define MUCH_TO_READ_BYTES (16u << 10)
/** How often is looked whether everything has come, or something has changed. */
#define GLANCE_US 5000
/** The first publication is due so long after the command: the publisher connects meanwhile. */
#define LEAD_US 50000
/** Nothing more is expected after so long a silence, or after so long in all. */
#define SILENCE_US 5000000
#define SETTLING_DEADLINE_US 15000000
/** Once all has arrived, duplicates get so much time to show up. */
#define GRACE_US 100000
#define STALLED_SILENCE_US 500000
#define STALLED_DEADLINE_US 10000000
#define COMMAND_BYTES 4096

struct load {
  struct spec *spec;
  struct tally tally;
  struct pool pool;
  struct publisher publisher;
  uint64_t next_lazy_us;
  uint64_t lazy_every_us;
  char input[COMMAND_BYTES]; // commands that have not been carried out
  size_t input_length;
};

/** A closed stdin means that nobody is there to read the results. */
static void read_commands(struct load *load) {
  size_t room = sizeof load->input - load->input_length;
  if (room == 0) fail("a command is too long");
  ssize_t got = read(STDIN_FILENO, load->input + load->input_length, room);
  if (got == 0) exit(0);
  if (got > 0) load->input_length += (size_t)got;
  else if (errno != EAGAIN && errno != EINTR) exit(0);
}

/** Takes what has happened on one of the two epolls; returns how many events there were. */
static int attend_to(struct load *load, int epoll, int patience_ms) {
  struct epoll_event events[EVENTS];
  int count = epoll_wait(epoll, events, EVENTS, patience_ms);
  for (int index = 0; index < count; index += 1) {
    struct connection *connection = events[index].data.ptr;
    if (connection == NULL) read_commands(load);
    else attend(&load->pool, connection, events[index].events);
  }
  return count;
}

/** The parsed connections come in between: what they wait for here would count as latency. */
static void attend_to_lazy(struct load *load) {
  unsigned rounds = load->spec->connections / EVENTS + 2;
  while (rounds-- > 0 && attend_to(load, load->pool.lazy, 0) == EVENTS) {
    attend_to(load, load->pool.prompt, 0);
  }
}

static uint64_t next_lazy_interval(const struct load *load) {
  if (load->pool.ready + load->pool.failed < load->spec->connections) return LAZY_MIN_US;
  uint64_t interval = load->lazy_every_us;
  if (load->pool.largest_read > MUCH_TO_READ_BYTES) interval /= 2;
  else interval += interval / 4;
  if (interval < LAZY_MIN_US) return LAZY_MIN_US;
  return interval > LAZY_MAX_US ? LAZY_MAX_US : interval;
}

static void turn(struct load *load, uint64_t deadline_us) {
  uint64_t now = now_us();
  uint64_t until = load->next_lazy_us < deadline_us ? load->next_lazy_us : deadline_us;
  int patience_ms = until > now ? (int)((until - now + 999) / 1000) : 0;
  attend_to(load, load->pool.prompt, patience_ms);
  if (now_us() < load->next_lazy_us) return;
  load->pool.largest_read = 0;
  attend_to_lazy(load);
  load->lazy_every_us = next_lazy_interval(load);
  load->next_lazy_us = now_us() + load->lazy_every_us;
}

static void turn_until(struct load *load, uint64_t deadline_us) {
  while (now_us() < deadline_us) turn(load, deadline_us);
  attend_to_lazy(load);
}

static void print_event(const char *event) {
  printf("{\"event\":\"%s\"}\n", event);
  fflush(stdout);
}

static void open_all(struct load *load) {
  struct pool *pool = &load->pool;
  uint64_t started = now_us(), deadline = started + READY_DEADLINE_US;
  open_more(pool);
  while (pool->ready + pool->failed < load->spec->connections && now_us() < deadline) {
    turn(load, deadline);
    open_more(pool);
  }
  fail_the_rest(pool);
  make_printable(pool->reason);
  printf("{\"event\":\"ready\",\"connections\":%u,\"failed\":%u,\"refused\":%u,\"seconds\":%.3f",
         pool->ready, pool->failed, pool->refused, (double)(now_us() - started) / 1e6);
  if (pool->failed > 0) printf(",\"reason\":\"%s\"", pool->reason);
  puts("}");
  fflush(stdout);
}

static void begin_run(struct load *load, double seconds, double warmup) {
  turn_until(load, now_us()); // what has come by now does not belong to the run
  tally_start(&load->tally, load->publisher.numbers);
  begin_outcome(&load->pool);
  load->pool.running = true;
  stall(&load->pool, true);
  load->publisher.start_us = now_us() + LEAD_US;
  load->tally.from_us = load->publisher.start_us + (uint64_t)(warmup * 1e6);
  load->tally.until_us = load->tally.from_us + (uint64_t)(seconds * 1e6);
  load->publisher.stop_us = load->tally.until_us;
  publisher_start(&load->publisher);
}

static void measure(struct load *load) {
  turn_until(load, load->tally.from_us);
  load->tally.phase = MEASURING;
  print_event("started");
  turn_until(load, load->tally.until_us);
  load->tally.phase = SETTLING;
  print_event("stopped");
}

/** Returns how long it took until everything had arrived, or nothing more did: µs. */
static uint64_t settle(struct load *load) {
  uint64_t started = now_us(), last_change = started, bytes = load->tally.bytes;
  while (!atomic_load(&load->publisher.finished)) turn_until(load, now_us() + GLANCE_US);
  for (;;) {
    uint64_t now = now_us();
    if (load->tally.bytes != bytes) last_change = now;
    bytes = load->tally.bytes;
    if (all_arrived(&load->pool, load->publisher.published)) break;
    if (now - last_change > SILENCE_US || now - started > SETTLING_DEADLINE_US) break;
    turn_until(load, now + GLANCE_US);
  }
  uint64_t settled = last_change - started;
  turn_until(load, now_us() + GRACE_US);
  publisher_join(&load->publisher);
  return settled;
}

/** Only the end of what was sent to a stalled connection tells whether it was closed. */
static void end_stall(struct load *load) {
  load->pool.running = false;
  if (load->spec->stalled == 0) return;
  uint64_t now = now_us(), deadline = now + STALLED_DEADLINE_US, last_change = now;
  stall(&load->pool, false);
  while (now < deadline && now - last_change < STALLED_SILENCE_US) {
    uint64_t bytes = load->tally.bytes;
    turn_until(load, now + GLANCE_US);
    now = now_us();
    if (load->tally.bytes != bytes) last_change = now;
  }
}

static void print_classes(const struct load *load) {
  printf("\"classes\":[");
  for (unsigned class = 0; class < load->spec->class_count; class += 1) {
    const struct class_tally *tally = &load->tally.classes[class];
    printf("%s{\"class\":%u,\"published\":%llu,\"delivered\":%llu,\"histogram\":",
           class == 0 ? "" : ",", class,
           (unsigned long long)load->publisher.class_published[class],
           (unsigned long long)tally->delivered);
    histogram_print(&tally->histogram);
    putchar('}');
  }
  putchar(']');
}

static void print_number(const char *name, uint64_t value) {
  printf("\"%s\":%llu,", name, (unsigned long long)value);
}

static void print_result(struct load *load, uint64_t settled_us, double seconds) {
  const struct publisher *publisher = &load->publisher;
  struct outcome outcome = assess(&load->pool, publisher->published);
  uint64_t bytes = load->tally.bytes;
  end_stall(load);
  printf("{\"event\":\"result\",");
  print_number("published", publisher->total);
  print_number("acked", publisher->acked);
  print_number("publish_errors", publisher->errors);
  print_number("publish_late_us_max", publisher->late_max_us);
  print_number("expected", outcome.expected);
  print_number("delivered", outcome.delivered);
  print_number("delivered_measured", outcome.delivered_measured);
  print_number("lost", outcome.lost);
  print_number("duplicates", outcome.duplicates);
  print_number("reordered", load->tally.reordered);
  print_number("strays", load->tally.strays);
  print_number("closed", load->pool.closed);
  print_number("stalled_closed", load->pool.stalled_closed);
  printf("\"seconds\":%g,\"settle_ms\":%.1f,", seconds, (double)settled_us / 1e3);
  print_number("bytes", bytes);
  print_classes(load);
  puts("}");
  fflush(stdout);
}

static void run(struct load *load, const char *arguments) {
  double seconds = 0, warmup = 0;
  int used = 0;
  if (sscanf(arguments, "%lf %lf %n", &seconds, &warmup, &used) < 2 || used == 0) {
    fail("run SECONDS WARMUP RATE[,RATE…]");
  }
  for (unsigned class = 0; class < load->spec->class_count; class += 1) {
    char *end;
    load->publisher.rates[class] = strtod(arguments + used, &end);
    if (end == arguments + used) fail("fewer rates than classes");
    used = (int)(end - arguments) + (*end == ',');
  }
  begin_run(load, seconds, warmup);
  measure(load);
  print_result(load, settle(load), seconds);
}

static void hold(struct load *load, const char *arguments) {
  uint64_t before = load->pool.frames;
  turn_until(load, now_us() + (uint64_t)(strtod(arguments, NULL) * 1e6));
  printf("{\"event\":\"held\",\"closed\":%u,\"frames\":%llu}\n", load->pool.closed,
         (unsigned long long)(load->pool.frames - before));
  fflush(stdout);
}

static void carry_out(struct load *load, const char *command) {
  if (strcmp(command, "quit") == 0) exit(0);
  else if (strncmp(command, "run ", 4) == 0) run(load, command + 4);
  else if (strncmp(command, "hold ", 5) == 0) hold(load, command + 5);
  else fail("unknown command: %s", command);
}

static void carry_out_commands(struct load *load) {
  for (;;) {
    char command[COMMAND_BYTES];
    char *end = memchr(load->input, '\n', load->input_length);
    if (end == NULL) {
      turn(load, now_us() + GLANCE_US);
      continue;
    }
    size_t length = (size_t)(end - load->input);
    memcpy(command, load->input, length);
    command[length] = '\0';
    load->input_length -= length + 1;
    memmove(load->input, end + 1, load->input_length);
    carry_out(load, command);
  }
}

static void listen_for_commands(struct load *load) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
  if (epoll_ctl(load->pool.prompt, EPOLL_CTL_ADD, STDIN_FILENO, &event) != 0) {
    fail("stdin must be a pipe: commands come while connections are served");
  }
}

int main(int count, char **arguments) {
  if (count != 2) fail("usage: load SPEC_FILE");
  struct load *load = allocate(1, sizeof *load);
  load->spec = read_spec(arguments[1]);
  raise_file_limit(load->spec->connections + 16ul);
  tally_create(&load->tally, load->spec);
  pool_create(&load->pool, load->spec, &load->tally);
  publisher_create(&load->publisher, load->spec);
  listen_for_commands(load);
  open_all(load);
  carry_out_commands(load);
}
