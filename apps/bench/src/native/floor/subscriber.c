#include "subscriber.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/** "*3\r\n$7\r\nmessage\r\n" and two strings, of which the second is the payload. */
#define PARTS 3

/** Takes a number and a line's end off the input; false if they are not whole yet. */
static bool take_number(struct span *input, char type, size_t *number) {
  const char *end = memchr(input->at, '\n', input->length);
  if (end == NULL) return false;
  if (*input->at != type) fail("Redis sent %c where %c was due", *input->at, type);
  *number = strtoul(input->at + 1, NULL, 10);
  span_skip(input, (size_t)(end + 1 - input->at));
  return true;
}

static bool take_string(struct span *input, struct span *string) {
  size_t length;
  if (!take_number(input, '$', &length) || input->length < length + 2) return false;
  *string = (struct span){input->at, length};
  span_skip(input, length + 2);
  return true;
}

/** Takes a message off the input; false, and leaves it as it is, if there is no whole one. */
static bool take_message(struct span *input, struct span *payload) {
  struct span rest = *input, ignored;
  size_t parts;
  if (!take_number(&rest, '*', &parts)) return false;
  if (parts != PARTS) fail("Redis sent something that is not a message");
  if (!take_string(&rest, &ignored) || !take_string(&rest, &ignored)) return false;
  if (!take_string(&rest, payload)) return false;
  *input = rest;
  return true;
}

static size_t write_header(char *at, size_t length) {
  at[0] = (char)0x81; // text, final
  if (length < 126) {
    at[1] = (char)length;
    return 2;
  }
  if (length < 65536) {
    at[1] = 126;
    at[2] = (char)(length >> 8);
    at[3] = (char)length;
    return 4;
  }
  at[1] = 127;
  for (unsigned index = 9; index > 1; index -= 1, length >>= 8) at[index] = (char)length;
  return 10;
}

/** A frame's header is always shorter than what Redis says about the message. */
static void frame(struct subscriber *subscriber, struct span payload) {
  char *at = subscriber->frames + subscriber->frames_length;
  size_t header = write_header(at, payload.length);
  memcpy(at + header, payload.at, payload.length);
  subscriber->frames_length += header + payload.length;
}

void subscriber_read(struct subscriber *subscriber) {
  subscriber->frames_length = 0;
  size_t room = SUBSCRIBER_BUFFER_BYTES - subscriber->filled;
  if (room == 0) fail("a message is larger than %u bytes", SUBSCRIBER_BUFFER_BYTES);
  ssize_t got = recv(subscriber->fd, subscriber->buffer + subscriber->filled, room, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) fail("Redis is gone");
  struct span input = {subscriber->buffer, subscriber->filled + (size_t)got}, payload;
  while (input.length > 0 && take_message(&input, &payload)) frame(subscriber, payload);
  memmove(subscriber->buffer, input.at, input.length);
  subscriber->filled = input.length;
}

static void send_subscribe(int fd, const char *channel) {
  char command[512];
  int length = snprintf(command, sizeof command, "*2\r\n$9\r\nSUBSCRIBE\r\n$%zu\r\n%s\r\n",
                        strlen(channel), channel);
  if (length >= (int)sizeof command) fail("the channel's name is too long");
  if (send(fd, command, (size_t)length, MSG_NOSIGNAL) != length) fail("cannot subscribe");
}

/** The answer is an array of the command, the channel and the number of channels. */
static void await_confirmation(int fd) {
  char answer[512];
  size_t length = 0;
  while (length < 3 || memmem(answer, length, "\r\n:1\r\n", 6) == NULL) {
    // Not a byte beyond the answer: messages may follow it at once.
    if (length == sizeof answer || recv(fd, answer + length, 1, 0) != 1) {
      fail("Redis does not confirm the subscription");
    }
    length += 1;
  }
}

void subscriber_start(struct subscriber *subscriber, struct sockaddr_in *redis,
                      const char *channel) {
  int yes = 1;
  subscriber->buffer = allocate(SUBSCRIBER_BUFFER_BYTES, 1);
  subscriber->frames = allocate(SUBSCRIBER_BUFFER_BYTES, 1);
  subscriber->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(subscriber->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (connect(subscriber->fd, (struct sockaddr *)redis, sizeof *redis) != 0) {
    fail("cannot connect to Redis: %s", strerror(errno));
  }
  send_subscribe(subscriber->fd, channel);
  await_confirmation(subscriber->fd);
}
