#include "files.h"
#include <arpa/inet.h>
#include <errno.h>

struct span read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail("cannot open %s: %s", path, strerror(errno));
  size_t room = 1 << 16, length = 0, got;
  char *bytes = allocate(room, 1);
  while ((got = fread(bytes + length, 1, room - length - 1, file)) > 0) {
    length += got;
    if (room - length > 1) continue;
    room *= 2;
    bytes = realloc(bytes, room);
    if (bytes == NULL) fail("out of memory for %s", path);
  }
  if (ferror(file)) fail("cannot read %s", path);
  fclose(file);
  bytes[length] = '\0';
  return (struct span){bytes, length};
}

bool next_line(struct span *text, struct span *line) {
  return next_word(text, '\n', line);
}

bool next_word(struct span *line, char separator, struct span *word) {
  if (line->length == 0) return false;
  const char *end = memchr(line->at, separator, line->length);
  word->at = line->at;
  word->length = end == NULL ? line->length : (size_t)(end - line->at);
  span_skip(line, word->length + (end == NULL ? 0 : 1));
  return true;
}

struct records read_records(const char *path) {
  struct span rest = read_file(path), line;
  struct records records = {NULL, 0};
  size_t room = 0;
  while (next_line(&rest, &line)) {
    size_t length = to_number(line, 1ul << 30, "the length of a record");
    if (rest.length <= length || rest.at[length] != '\n') {
      fail("%s: record %zu is not as long as it says", path, records.count);
    }
    if (records.count == room) {
      room = room == 0 ? 64 : room * 2;
      records.items = realloc(records.items, room * sizeof *records.items);
      if (records.items == NULL) fail("out of memory for %s", path);
    }
    records.items[records.count++] = (struct span){rest.at, length};
    span_skip(&rest, length + 1);
  }
  return records;
}

unsigned to_number(struct span word, unsigned long largest, const char *what) {
  unsigned long number = 0;
  bool valid = word.length > 0 && word.length <= 10;
  for (size_t index = 0; valid && index < word.length; index += 1) {
    valid = word.at[index] >= '0' && word.at[index] <= '9';
    number = number * 10 + (unsigned long)(word.at[index] - '0');
  }
  if (!valid || number > largest) {
    fail("%s must be a number of at most %lu, not %.*s", what, largest, (int)word.length, word.at);
  }
  return (unsigned)number;
}

struct sockaddr_in to_address(struct span word) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  struct span host = {NULL, 0}, port = word;
  char text[INET_ADDRSTRLEN] = "";
  next_word(&port, ':', &host);
  memcpy(text, host.at, smaller(host.length, sizeof text - 1));
  if (inet_pton(AF_INET, text, &address.sin_addr) != 1) {
    fail("%.*s is not an IPv4 address and a port", (int)word.length, word.at);
  }
  address.sin_port = htons((uint16_t)to_number(port, 65535, "a port"));
  return address;
}

static int hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  digit |= 0x20;
  return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

struct span from_hex(struct span word) {
  char *bytes = allocate(word.length / 2, 1);
  for (size_t index = 0; index < word.length / 2; index += 1) {
    int high = hex_digit(word.at[2 * index]), low = hex_digit(word.at[2 * index + 1]);
    if (high < 0 || low < 0) fail("%.*s is not hex", (int)word.length, word.at);
    bytes[index] = (char)(high << 4 | low);
  }
  return (struct span){bytes, word.length / 2};
}
