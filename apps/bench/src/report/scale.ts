/** Maps values to 0 to 1, from one end of an axis to the other. */
export interface Scale {
  readonly place: (value: number) => number;
  readonly ticks: readonly number[];
}

const TICKS = 3;
const NICE = [1, 2, 2.5, 5, 10];

/** A scale from zero to the largest value. */
export function linearScale(values: readonly number[]): Scale {
  const largest = Math.max(0, ...values);
  if (largest === 0) return { place: () => 0, ticks: [0] };
  const step = niceStep(largest / TICKS);
  const ticks = Array.from({ length: Math.floor(largest / step) + 1 }, (_, index) => index * step);
  return { place: (value) => value / largest, ticks };
}

/** A scale between powers of ten; values that are not above zero are placed at the lower end. */
export function logScale(values: readonly number[]): Scale {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return { place: () => 0, ticks: [] };
  const from = Math.floor(Math.log10(Math.min(...positive)));
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(...positive))));
  return {
    place: (value) => (value > 0 ? Math.max(0, (Math.log10(value) - from) / (to - from)) : 0),
    ticks: Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index)),
  };
}

function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = NICE.find((each) => each * power >= least) ?? 10;
  return factor * power;
}
