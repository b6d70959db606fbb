#include "spec.h"
#include "../lib/files.h"
#include "../stream/stamps.h"

/** The files that the spec names; they are read once all of its lines are known. */
struct files {
  const char *clients;
  const char *members;
  const char *publications;
  const char *preamble;
};

static bool is(struct span word, const char *text) {
  return word.length == strlen(text) && memcmp(word.at, text, word.length) == 0;
}

static const char *to_path(struct span value) {
  char *path = allocate(value.length + 1, 1);
  memcpy(path, value.at, value.length);
  return path;
}

static void read_targets(struct spec *spec, struct span value) {
  struct span word;
  while (next_word(&value, ',', &word)) {
    if (spec->target_count == MAX_TARGETS) fail("more than %d targets", MAX_TARGETS);
    spec->targets[spec->target_count++] = to_address(word);
  }
}

static void read_classes(struct spec *spec, struct span value) {
  struct span word, first;
  while (next_word(&value, ',', &word)) {
    if (spec->class_count == MAX_CLASSES) fail("more than %d classes", MAX_CLASSES);
    if (!next_word(&word, '-', &first)) fail("a class is FIRST-LAST");
    struct channel_class *class = &spec->classes[spec->class_count++];
    class->first = to_number(first, MAX_CHANNELS, "the first channel of a class");
    class->last = to_number(word, MAX_CHANNELS, "the last channel of a class");
  }
}

static void read_reply(struct spec *spec, struct span value) {
  struct reply *reply = &spec->replies[spec->reply_count];
  if (spec->reply_count == MAX_REPLIES) fail("more than %d replies", MAX_REPLIES);
  // Hex has no equals sign, what is answered may have.
  const char *equals = memrchr(value.at, '=', value.length);
  if (equals == NULL) fail("a reply is TEXT=HEX");
  size_t length = (size_t)(equals - value.at);
  reply->when = (struct span){value.at, length};
  if (length > 125) fail("a reply to more than 125 bytes");
  span_skip(&value, length + 1);
  reply->answer = from_hex(value);
  spec->reply_count += 1;
}

static bool read_number(struct spec *spec, struct span key, struct span value) {
  unsigned *field = is(key, "connections") ? &spec->connections
                    : is(key, "sample")    ? &spec->sample
                    : is(key, "stalled")   ? &spec->stalled
                    : is(key, "connect_batch") ? &spec->connect_batch
                    : is(key, "retry_ms")      ? &spec->retry_ms
                                               : NULL;
  if (field == NULL) return false;
  *field = to_number(value, 1000000, "a number in the spec");
  return true;
}

static bool read_file_name(struct files *files, struct span key, struct span value) {
  const char **field = is(key, "clients")        ? &files->clients
                       : is(key, "members")      ? &files->members
                       : is(key, "publications") ? &files->publications
                       : is(key, "preamble")     ? &files->preamble
                                                 : NULL;
  if (field == NULL) return false;
  *field = to_path(value);
  return true;
}

static void read_rest(struct spec *spec, struct span value) {
  spec->count_bytes = is(value, "bytes");
  if (!spec->count_bytes && !is(value, "frames")) fail("rest is bytes or frames");
}

static void read_line(struct spec *spec, struct files *files, struct span line) {
  struct span key = {line.at, 0};
  if (!next_word(&line, ' ', &key)) return;
  if (read_number(spec, key, line) || read_file_name(files, key, line)) return;
  if (is(key, "targets")) read_targets(spec, line);
  else if (is(key, "classes")) read_classes(spec, line);
  else if (is(key, "reply")) read_reply(spec, line);
  else if (is(key, "rest")) read_rest(spec, line);
  else if (is(key, "publish")) spec->publish = to_address(line);
  else if (is(key, "publish_error")) spec->publish_error = line;
  else if (is(key, "publish_ack")) spec->publish_ack = line;
  else fail("unknown key in the spec: %.*s", (int)key.length, key.at);
}

static void read_kinds(struct spec *spec, const char *path) {
  struct records records = read_records(path);
  if (records.count == 0 || records.count % 3 != 0) fail("%s: not three records a kind", path);
  spec->kind_count = (unsigned)(records.count / 3);
  spec->kinds = allocate(spec->kind_count, sizeof *spec->kinds);
  for (unsigned index = 0; index < spec->kind_count; index += 1) {
    struct span *three = &records.items[3 * index];
    spec->kinds[index] = (struct kind){three[0], three[1], three[2]};
  }
}

static size_t find_field(struct span template, char filler, unsigned digits) {
  char field[TIME_DIGITS];
  memset(field, filler, digits);
  const char *found = memmem(template.at, template.length, field, digits);
  if (found == NULL) fail("a publication without %u times %c", digits, filler);
  return (size_t)(found - template.at);
}

static void read_templates(struct spec *spec, const char *path) {
  struct records records = read_records(path);
  if (records.count > MAX_CHANNELS) fail("more than %d channels", MAX_CHANNELS);
  spec->channel_count = (unsigned)records.count;
  spec->templates = allocate(records.count, sizeof *spec->templates);
  for (size_t index = 0; index < records.count; index += 1) {
    struct publication_template *template = &spec->templates[index];
    template->bytes = records.items[index];
    template->time_at = find_field(template->bytes, 'T', TIME_DIGITS);
    template->number_at = find_field(template->bytes, 'N', NUMBER_DIGITS);
  }
}

static int ascending(const void *a, const void *b) {
  unsigned left = *(const unsigned *)a, right = *(const unsigned *)b;
  return (left > right) - (left < right);
}

static void read_channels(struct spec *spec, struct member *member, struct span list) {
  struct span word;
  unsigned room = 1;
  for (size_t index = 0; index < list.length; index += 1) room += list.at[index] == ',';
  member->channels = allocate(room, sizeof *member->channels);
  while (next_word(&list, ',', &word)) {
    unsigned channel = to_number(word, MAX_CHANNELS, "a channel");
    if (channel >= spec->channel_count) fail("no publication for channel %u", channel);
    member->channels[member->channel_count++] = channel;
  }
  qsort(member->channels, member->channel_count, sizeof *member->channels, ascending);
}

static void read_members(struct spec *spec, const char *path) {
  struct span text = read_file(path), line, word;
  spec->members = allocate(spec->connections, sizeof *spec->members);
  for (unsigned index = 0; index < spec->connections; index += 1) {
    struct member *member = &spec->members[index];
    if (!next_line(&text, &line)) fail("%s: fewer lines than connections", path);
    if (!next_word(&line, ' ', &word)) fail("%s: an empty line", path);
    member->kind = to_number(word, spec->kind_count - 1, "a kind");
    if (!next_word(&line, ' ', &word)) fail("%s: a line without a format", path);
    member->format = to_number(word, MAX_FORMATS - 1, "a format");
    read_channels(spec, member, line);
  }
}

static void check(const struct spec *spec) {
  if (spec->target_count == 0) fail("no targets");
  if (spec->sample == 0) fail("sample must be at least 1");
  if (spec->connect_batch == 0) fail("connect_batch must be at least 1");
  if (spec->stalled > spec->connections) fail("more stalled connections than connections");
  if (spec->channel_count > 0 && spec->publish.sin_port == 0) fail("no address to publish to");
  for (unsigned index = 0; index < spec->class_count; index += 1) {
    const struct channel_class *class = &spec->classes[index];
    if (class->first > class->last || class->last >= spec->channel_count) {
      fail("class %u has channels without publications", index);
    }
  }
}

struct spec *read_spec(const char *path) {
  struct spec *spec = allocate(1, sizeof *spec);
  struct files files = {NULL, NULL, NULL, NULL};
  struct span text = read_file(path), line;
  while (next_line(&text, &line)) read_line(spec, &files, line);
  if (files.clients == NULL || files.members == NULL) fail("no clients or no members");
  read_kinds(spec, files.clients);
  if (files.publications != NULL) read_templates(spec, files.publications);
  read_members(spec, files.members);
  if (files.preamble != NULL) {
    struct records preamble = read_records(files.preamble);
    if (preamble.count > 0) spec->preamble = preamble.items[0];
  }
  check(spec);
  return spec;
}
