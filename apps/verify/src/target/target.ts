import type { System } from './system.ts';

/** What is verified: a system of our own, whose parts can be broken, or one that runs already. */
export interface Target extends AsyncDisposable {
  readonly gateways: readonly string[];
  readonly publishers: readonly string[];
  /** What publishers and their statistics want to see. */
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined for one that runs already. */
  readonly system: System | undefined;
  /** A token of a user that allows these projects. */
  token(userId: string, projects: readonly string[]): Promise<string>;
}
