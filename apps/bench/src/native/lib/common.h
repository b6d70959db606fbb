// Definitions for every part of the load generator and of the floor.
#ifndef COMMON_H
#define COMMON_H

#define _GNU_SOURCE
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/** Bytes that belong to someone else. */
struct span {
  const char *at;
  size_t length;
};

static inline struct span span_of(const char *text) {
  return (struct span){text, strlen(text)};
}

static inline void span_skip(struct span *span, size_t count) {
  span->at += count;
  span->length -= count;
}

static inline size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/** CLOCK_MONOTONIC in µs: the clock of all intended and receive times. */
static inline uint64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/** Prints an error event on stdout and exits with 1. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Replaces what cannot stand in a JSON string as it is. */
void make_printable(char *text);

/** Zeroed memory, or the end of the process. */
void *allocate(size_t count, size_t size);

/** Lets this process open as many files as it may; fails if those are too few. */
void raise_file_limit(unsigned long needed);

#endif
