#include "tally.h"

void tally_create(struct tally *tally, const struct spec *spec) {
  tally->spec = spec;
  tally->base = allocate(spec->channel_count, sizeof *tally->base);
  tally->class_of = allocate(spec->channel_count, sizeof *tally->class_of);
  // One more, for channels that are in no class.
  tally->classes = allocate(spec->class_count + 1, sizeof *tally->classes);
  memset(tally->class_of, (int)spec->class_count, spec->channel_count);
  for (unsigned class = 0; class < spec->class_count; class += 1) {
    const struct channel_class *range = &spec->classes[class];
    memset(tally->class_of + range->first, (int)class, range->last - range->first + 1);
  }
}

void tally_start(struct tally *tally, const uint64_t *numbers) {
  memcpy(tally->base, numbers, tally->spec->channel_count * sizeof *numbers);
  memset(tally->classes, 0, (tally->spec->class_count + 1) * sizeof *tally->classes);
  memset(tally->parsed, 0, sizeof tally->parsed);
  tally->walked = tally->counted = tally->bytes = 0;
  tally->duplicates = tally->reordered = tally->strays = 0;
  tally->phase = WARMING;
}

void subscription_start(struct subscription *subscription, uint64_t base) {
  memset(subscription, 0, sizeof *subscription);
  subscription->highest = base;
}

static uint64_t *word_of(struct subscription *subscription, uint64_t number) {
  return &subscription->seen[number % WINDOW / 64];
}

static void forget(struct subscription *subscription, uint64_t number) {
  *word_of(subscription, number) &= ~(1ull << number % 64);
}

/** Moves the window up to a number; those in between have not been seen. */
static void advance(struct subscription *subscription, uint64_t number) {
  if (number - subscription->highest >= WINDOW) {
    memset(subscription->seen, 0, sizeof subscription->seen);
  } else {
    for (uint64_t skipped = subscription->highest + 1; skipped < number; skipped += 1) {
      forget(subscription, skipped);
    }
  }
  subscription->highest = number;
  *word_of(subscription, number) |= 1ull << number % 64;
}

/** False if it is a duplicate, or too old to be told from one. */
static bool admit(struct tally *tally, struct subscription *subscription, uint64_t number) {
  if (number > subscription->highest) {
    advance(subscription, number);
    return true;
  }
  uint64_t *word = word_of(subscription, number), bit = 1ull << number % 64;
  if (subscription->highest - number >= WINDOW || (*word & bit) != 0) return false;
  *word |= bit;
  tally->reordered += 1;
  return true;
}

void tally_arrival(struct tally *tally, struct subscription *subscription,
                   const struct arrival *arrival) {
  const struct stamp *stamp = &arrival->stamp;
  if (subscription == NULL || stamp->number <= tally->base[stamp->channel]) {
    tally->strays += 1;
    return;
  }
  if (!admit(tally, subscription, stamp->number)) {
    tally->duplicates += 1;
    return;
  }
  subscription->unique += 1;
  subscription->unique_bytes += arrival->frame_bytes;
  tally->parsed[tally->phase] += 1;
  struct class_tally *class = &tally->classes[tally->class_of[stamp->channel]];
  class->delivered += 1;
  if (stamp->intended_us < tally->from_us || stamp->intended_us >= tally->until_us) return;
  uint64_t at = arrival->at_us;
  histogram_add(&class->histogram, at > stamp->intended_us ? at - stamp->intended_us : 0);
}
