import type { System } from './system.ts';

/** The system under test: one that verify has started and can break, or one that runs already. */
export interface Target extends AsyncDisposable {
  readonly gateways: readonly string[];
  readonly publishers: readonly string[];
  /** Headers that authorize publishing and reading statistics. */
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined for a system that runs already. */
  readonly system: System | undefined;
  /** The secret that signs its tokens and grants. */
  readonly secret: string;
  /** Signs a token for a user with these projects. */
  token(userId: string, projects: readonly string[]): Promise<string>;
}
