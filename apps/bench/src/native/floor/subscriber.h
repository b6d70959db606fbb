// The messages of one Redis channel, as ready WebSocket frames one after the other.
#ifndef SUBSCRIBER_H
#define SUBSCRIBER_H

#include "../lib/common.h"
#include <netinet/in.h>

#define SUBSCRIBER_BUFFER_BYTES (1u << 20)

struct subscriber {
  int fd;
  size_t filled; // bytes in the buffer
  char *buffer;
  char *frames; // of the messages of the last read
  size_t frames_length;
};

/** Connects and subscribes; returns when Redis has confirmed it. */
void subscriber_start(struct subscriber *subscriber, struct sockaddr_in *redis,
                      const char *channel);

/** Reads once, and frames the messages that are whole by now. Fails when Redis is gone. */
void subscriber_read(struct subscriber *subscriber);

#endif
