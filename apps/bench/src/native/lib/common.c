#include "common.h"
#include <stdarg.h>
#include <sys/resource.h>

void fail(const char *format, ...) {
  char message[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  make_printable(message);
  printf("{\"event\":\"error\",\"message\":\"%s\"}\n", message);
  fflush(stdout);
  exit(1);
}

void make_printable(char *text) {
  for (; *text != '\0'; text += 1) {
    if (*text == '"' || *text == '\\' || (unsigned char)*text < ' ') *text = '\'';
  }
}

void *allocate(size_t count, size_t size) {
  void *memory = calloc(count == 0 ? 1 : count, size);
  if (memory == NULL) fail("out of memory for %zu times %zu bytes", count, size);
  return memory;
}

void raise_file_limit(unsigned long needed) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < needed) {
    fail("%lu open files are needed, but the hard limit (ulimit -Hn) is %lu", needed,
         (unsigned long)limit.rlim_max);
  }
}
