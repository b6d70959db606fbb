// Files as spans, and what is written in them: numbers, addresses, hex, records.
#ifndef FILES_H
#define FILES_H

#include "common.h"
#include <netinet/in.h>

struct records {
  struct span *items;
  size_t count;
};

/** A whole file; ends with a byte zero that does not count. */
struct span read_file(const char *path);

/** Byte length, line feed, so many bytes, line feed; again and again. */
struct records read_records(const char *path);

/** Takes a line off the text, without its line feed; false at the end. */
bool next_line(struct span *text, struct span *line);

/** Takes a word off the line: what comes before the separator, or before its end. */
bool next_word(struct span *line, char separator, struct span *word);

/** Fails unless the whole word is a number of at most `largest`. */
unsigned to_number(struct span word, unsigned long largest, const char *what);

/** Fails unless the word is an IPv4 address and a port: 127.0.0.1:80. */
struct sockaddr_in to_address(struct span word);

struct span from_hex(struct span word);

#endif
