/** How long a run takes, and the signal that aborts it. */
export interface RunContext {
  /** Duration of the measured part of a run. */
  readonly seconds: number;
  readonly warmupSeconds: number;
  /** Share of the time in which the server runs; undefined for all of it. */
  readonly dutyCycle?: number | undefined;
  readonly signal: AbortSignal;
}
