// Runs one part of the load generator on the bytes of a file, in pieces of a given size:
// `check frames|stamps FILE SIZE`, `check text FILE SIZE TEXT`, `check histogram - LARGEST`.
#include "../../src/native/lib/files.h"
#include "../../src/native/lib/histogram.h"
#include "../../src/native/stream/finder.h"
#include "../../src/native/stream/frames.h"
#include "../../src/native/stream/stamps.h"

static void take_frames(struct walker *walker, struct span input) {
  static uint64_t length;
  struct piece piece;
  while (next_piece(walker, &input, &piece)) {
    length = (piece.first ? 0 : length) + piece.payload.length;
    if (piece.last) printf("%d:%llu\n", piece.opcode, (unsigned long long)length);
  }
}

static void take_stamps(struct scanner *scanner, struct span input) {
  struct stamp stamp;
  while (next_stamp(scanner, &input, &stamp)) {
    printf("%llu %u %llu\n", (unsigned long long)stamp.intended_us, stamp.channel,
           (unsigned long long)stamp.number);
  }
}

static int print_bounds(uint64_t largest) {
  for (uint64_t value = 0; value < largest; value += 1 + (value >> 6)) {
    printf("%llu %llu\n", (unsigned long long)value,
           (unsigned long long)histogram_upper(histogram_bucket(value)));
  }
  return 0;
}

int main(int count, char **arguments) {
  if (count < 4) fail("usage: check PART FILE SIZE [TEXT]");
  const char *part = arguments[1];
  size_t size = strtoull(arguments[3], NULL, 10);
  if (strcmp(part, "histogram") == 0) return print_bounds(size);
  struct walker walker = {0};
  struct scanner scanner = {0};
  struct finder finder = {0};
  finder_start(&finder, span_of(count > 4 ? arguments[4] : ""));
  unsigned long found = 0;
  struct span rest = read_file(arguments[2]);
  while (rest.length > 0) {
    struct span input = {rest.at, smaller(rest.length, size)};
    span_skip(&rest, input.length);
    if (strcmp(part, "frames") == 0) take_frames(&walker, input);
    else if (strcmp(part, "stamps") == 0) take_stamps(&scanner, input);
    else found += finder_feed(&finder, input);
  }
  if (strcmp(part, "text") == 0) printf("%lu\n", found);
  return 0;
}
