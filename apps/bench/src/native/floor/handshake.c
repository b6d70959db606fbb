#include "handshake.h"
#include <strings.h>

#define KEY_BYTES 24
#define DIGEST_BYTES 20
#define ACCEPT_BYTES 28
static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

static uint32_t rotate(uint32_t value, unsigned bits) {
  return value << bits | value >> (32 - bits);
}

static void sha1_schedule(const uint8_t *block, uint32_t *words) {
  for (unsigned index = 0; index < 16; index += 1, block += 4) {
    words[index] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 | (uint32_t)block[2] << 8 |
                   block[3];
  }
  for (unsigned index = 16; index < 80; index += 1) {
    words[index] = rotate(words[index - 3] ^ words[index - 8] ^ words[index - 14] ^
                              words[index - 16], 1);
  }
}

static uint32_t sha1_mix(unsigned round, const uint32_t *state) {
  uint32_t b = state[1], c = state[2], d = state[3];
  if (round < 20) return ((b & c) | (~b & d)) + 0x5a827999u;
  if (round < 40) return (b ^ c ^ d) + 0x6ed9eba1u;
  if (round < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcu;
  return (b ^ c ^ d) + 0xca62c1d6u;
}

static void sha1_block(uint32_t *digest, const uint8_t *block) {
  uint32_t words[80], state[5];
  sha1_schedule(block, words);
  memcpy(state, digest, sizeof state);
  for (unsigned round = 0; round < 80; round += 1) {
    uint32_t next = rotate(state[0], 5) + sha1_mix(round, state) + state[4] + words[round];
    state[4] = state[3];
    state[3] = state[2];
    state[2] = rotate(state[1], 30);
    state[1] = state[0];
    state[0] = next;
  }
  for (unsigned index = 0; index < 5; index += 1) digest[index] += state[index];
}

/** SHA-1 of a key and the GUID: 60 bytes, two blocks with padding. */
static void sha1_of_key(const char *key, uint8_t *bytes) {
  uint8_t blocks[128] = {0};
  uint32_t digest[5] = {0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u};
  const unsigned length = KEY_BYTES + sizeof guid - 1;
  memcpy(blocks, key, KEY_BYTES);
  memcpy(blocks + KEY_BYTES, guid, sizeof guid - 1);
  blocks[length] = 0x80;
  blocks[126] = (uint8_t)(length * 8 >> 8);
  blocks[127] = (uint8_t)(length * 8);
  sha1_block(digest, blocks);
  sha1_block(digest, blocks + 64);
  for (unsigned index = 0; index < DIGEST_BYTES; index += 1) {
    bytes[index] = (uint8_t)(digest[index / 4] >> (24 - index % 4 * 8));
  }
}

/** The digest and one byte zero, which stands for the padding. */
static void base64(const uint8_t *bytes, char *text) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (unsigned at = 0; at < DIGEST_BYTES + 1; at += 3) {
    uint32_t three = (uint32_t)bytes[at] << 16 | (uint32_t)bytes[at + 1] << 8 | bytes[at + 2];
    for (unsigned shift = 24; shift > 0; shift -= 6) *text++ = digits[three >> (shift - 6) & 63];
  }
  text[-1] = '=';
}

/** The value of Sec-WebSocket-Key, or NULL. */
static const char *find_key(struct span request) {
  static const char name[] = "\nsec-websocket-key:";
  const size_t length = sizeof name - 1;
  for (size_t at = 0; at + length + 1 + KEY_BYTES <= request.length; at += 1) {
    if (strncasecmp(request.at + at, name, length) != 0) continue;
    const char *value = request.at + at + length;
    return *value == ' ' ? value + 1 : value;
  }
  return NULL;
}

size_t handshake_answer(struct span request, char *answer) {
  const char *key = find_key(request);
  if (key == NULL) return 0;
  uint8_t digest[DIGEST_BYTES + 1] = {0};
  char accept[ACCEPT_BYTES + 1] = "";
  sha1_of_key(key, digest);
  base64(digest, accept);
  return (size_t)snprintf(answer, HANDSHAKE_ANSWER_BYTES,
                          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                          accept);
}
