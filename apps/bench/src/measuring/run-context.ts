/** How long things take, and who may break them off. */
export interface RunContext {
  /** Of a run, the part that is measured. */
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly signal: AbortSignal;
}
