// Connections of clients: opening them, getting them ready, reading what they receive.
#ifndef CONNECTION_H
#define CONNECTION_H

#include "../stream/finder.h"
#include "../stream/frames.h"
#include "tally.h"

/** After OPEN there is no socket any more. */
enum state { UNOPENED, CONNECTING, UPGRADING, WAITING, OPEN, AGAIN, ENDED };

/** How closely a connection's publications are looked at. */
enum reading { PARSED, WALKED, COUNTED };

struct handshake {
  struct finder ready;
  size_t length;
  char answer[8192];
};

struct connection {
  int fd;
  uint8_t state;
  uint8_t reading;
  bool stalled;
  bool adrift;      // counted by bytes, and no longer known to be between two frames
  bool in_run;      // was open when the run began, so that it is to receive everything
  bool frame_taken; // the frame's bytes belong to a publication already
  uint8_t small_length;
  char small[SHORT_PAYLOAD]; // payload of a short frame that came in pieces
  struct walker walker;
  struct scanner scanner;
  const struct member *member;
  const struct kind *kind;
  struct handshake *handshake;         // until it is ready
  struct subscription *subscriptions;  // of a parsed one: one per channel of the member
  uint64_t again_us;         // when one that was not let in is opened again
  uint64_t received[PHASES]; // walked: publications, counted: bytes
};

/** All connections, and what becomes of them. */
struct pool {
  const struct spec *spec;
  struct tally *tally;
  struct connection *connections;
  /** Parsed connections are read at once, the others every few ms: that costs far less. */
  int prompt, lazy;
  bool running;      // counted connections are counted, and stalled ones are not read
  unsigned unopened; // index of the next one to open
  unsigned opening;
  unsigned ready;
  unsigned again;   // that wait to be opened again
  unsigned refused; // attempts that were not let in
  bool given_up;    // nobody is opened again
  unsigned failed;
  unsigned closed; // after they were ready
  unsigned stalled_closed;
  size_t largest_read; // of those on the lazy epoll, since it was last set to 0
  uint64_t read_us; // when the bytes that are being taken were read
  uint64_t frames;  // that were walked
  char reason[256]; // of the first failure
};

void pool_create(struct pool *pool, const struct spec *spec, struct tally *tally);

/** Keeps as many attempts in flight as the spec allows. */
void open_more(struct pool *pool);

/** Gives up on all that are not ready. */
void fail_the_rest(struct pool *pool);

/** Lets the stalled connections stop reading, or go on. */
void stall(struct pool *pool, bool stop);

/** Takes what epoll has told about a connection. */
void attend(struct pool *pool, struct connection *connection, uint32_t events);

/** The connection has come to its end; says why if it never was ready. */
void end_connection(struct pool *pool, struct connection *connection, const char *reason);

/** Sends a few bytes; a connection that does not take them has come to its end. */
bool send_small(struct pool *pool, struct connection *connection, struct span bytes);

/** Takes bytes that came after the answer to the upgrade. */
void take_bytes(struct pool *pool, struct connection *connection, struct span input);

#endif
