import { Random } from '@leque/testkit';
import { expect, test } from 'vitest';
import { type Load, OFFER_US, PAUSE_MS, Plant } from '../../test/plant.ts';
import { Pace } from './pace.ts';

const WINDOW_MS = 5;
const LONGEST_WINDOW_MS = 20;
/** Timers know whole milliseconds, and two of them can follow each other. */
const TIMERS_MS = 2;
/** Time to find the right window after any change of the load. */
const SETTLES_MS = 500;
const WATCHED_MS = 1000;
const PERIOD_MS = 50;
/** Saturates a process without a longer window. */
const HEAVY: Load = { sockets: 1000, channels: 1, rate: 1000, writeUs: 12 };
const QUIET: Load = { sockets: 1, channels: 1, rate: 1, writeUs: 5 };
const POINTS = Number(process.env['PACE_POINTS'] ?? 40);
const SEED = Number(process.env['PACE_SEED'] ?? 1);

/** Loads that users have, on a fast, a usual and a slow machine, and corners. */
const NAMED: readonly Load[] = [
  { sockets: 1000, channels: 1, rate: 1000, writeUs: 4.3 },
  { sockets: 1000, channels: 1, rate: 1000, writeUs: 8 },
  { sockets: 1000, channels: 1, rate: 4000, writeUs: 8 },
  { sockets: 1000, channels: 1, rate: 100, writeUs: 4.3 },
  { sockets: 15_000, channels: 1, rate: 10, writeUs: 4.3 },
  { sockets: 15_000, channels: 1000, rate: 10_000, writeUs: 4.3 },
  { sockets: 10, channels: 10, rate: 10_000, writeUs: 15 },
];

interface Observed {
  readonly load: number;
  /** Processor time for each publication. */
  readonly costMs: number;
  readonly longestMs: number;
  readonly loneMs: number;
  /** At the end of each period after the time to settle. */
  readonly windows: readonly number[];
}

interface Case {
  readonly load: Load;
  readonly before: Load;
  readonly seen: Observed;
  /** The same process was also observed with the configured window only. */
  readonly fixed: Observed;
}

/** The pace of a process without a longer window. */
class FixedPace extends Pace {
  override get windowMs(): number {
    return WINDOW_MS;
  }

  override get gatherMs(): number {
    return 0;
  }
}

function observe(pace: Pace, before: Load, load: Load): Observed {
  const plant = new Plant(pace, SEED);
  plant.change(before);
  plant.run(SETTLES_MS);
  plant.change(load);
  plant.run(SETTLES_MS);
  plant.startCounting();
  const windows: number[] = [];
  for (let ms = 0; ms < WATCHED_MS; ms += PERIOD_MS) {
    plant.run(PERIOD_MS);
    windows.push(pace.windowMs);
  }
  const { load: share, costMs, longestMs } = plant;
  plant.publishAloneAfter(2 * LONGEST_WINDOW_MS);
  return { load: share, costMs, longestMs, loneMs: plant.shortestMs, windows };
}

function randomLoad(random: Random): Load {
  const between = (least: number, most: number) => least * (most / least) ** random.next();
  const sockets = Math.round(between(10, 15_000));
  const channels = Math.round(between(1, Math.min(1000, sockets)));
  return { sockets, channels, rate: Math.round(between(10, 10_000)), writeUs: between(2, 15) };
}

const random = new Random(SEED);
const LOADS = [...NAMED, ...Array.from({ length: POINTS }, () => randomLoad(random))];
const CASES: readonly Case[] = LOADS.flatMap((load) => {
  const fixed = observe(new FixedPace(WINDOW_MS), QUIET, load);
  return [QUIET, HEAVY].map((before) => {
    return { load, before, fixed, seen: observe(new Pace(WINDOW_MS), before, load) };
  });
});

test('the window settles within half a second of any change, and turns back at most once', () => {
  expect(CASES.filter(({ seen }) => reversals(seen.windows) > 1)).toEqual([]);
});

test('a longer window saves a third of the time where that is possible, from any start', () => {
  const possible = CASES.filter(pays);
  expect(possible.length).toBeGreaterThan(5);
  expect(possible.filter(({ seen, fixed }) => seen.costMs > fixed.costMs * 0.65)).toEqual([]);
});

test('no publication costs more time with a longer window', () => {
  const longer = CASES.filter(({ seen }) => new Set(seen.windows).size > 1);
  expect(longer.filter(({ seen, fixed }) => seen.costMs > fixed.costMs * 1.05)).toEqual([]);
});

test('the window stays the configured one where a longer one would save nothing', () => {
  const rare = CASES.filter(({ load }) => load.rate / load.channels <= 200 / LONGEST_WINDOW_MS);
  expect(rare.length).toBeGreaterThan(5);
  expect(rare.filter(({ seen }) => Math.max(...seen.windows) > WINDOW_MS)).toEqual([]);
});

test('no publication waits longer than without pacing and the longest window together', () => {
  const unhurried = CASES.filter(({ load }) => roundMs(load) <= LONGEST_WINDOW_MS);
  const mostMs = ({ longestMs }: Observed) =>
    Math.max(longestMs, PAUSE_MS + WINDOW_MS) + LONGEST_WINDOW_MS + TIMERS_MS;
  expect(unhurried.length).toBeGreaterThan(5);
  expect(unhurried.filter(({ seen, fixed }) => seen.longestMs > mostMs(fixed))).toEqual([]);
});

test('a lone publication is written at once, whatever there was before', () => {
  expect(CASES.filter(({ seen }) => seen.loneMs >= 0.1)).toEqual([]);
});

/**
 * Whether a longer window can save a third: writing takes most of the time, a socket gets two
 * publications or more in the longest window, and the sockets can be written to in half of it.
 */
function pays({ load, fixed }: Case): boolean {
  const offers = (load.rate * load.sockets * OFFER_US) / load.channels / 1_000_000;
  const isOften = load.rate / load.channels >= 2000 / LONGEST_WINDOW_MS;
  const isBusy = fixed.load >= 0.7 && offers <= 0.2;
  return isOften && isBusy && roundMs(load) <= LONGEST_WINDOW_MS / 2;
}

/** Time for a write to every socket. */
function roundMs({ sockets, writeUs }: Load): number {
  return (sockets * writeUs) / 1000;
}

/** How often the window changes its direction. */
function reversals(windows: readonly number[]): number {
  const steps = windows.slice(1).map((window, index) => Math.sign(window - (windows[index] ?? 0)));
  const moves = steps.filter((step) => step !== 0);
  return moves.filter((move, index) => index > 0 && move !== moves[index - 1]).length;
}
