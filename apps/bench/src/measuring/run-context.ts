/** How long a run takes, and the signal that aborts it. */
export interface RunContext {
  /** Duration of the measured part of a run. */
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly signal: AbortSignal;
}
