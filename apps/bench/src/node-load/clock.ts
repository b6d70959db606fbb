/** CLOCK_MONOTONIC in µs, as the generator in C has it. */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
