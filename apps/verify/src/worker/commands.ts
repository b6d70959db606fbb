/** A worker's commands by name: each takes one argument and returns a JSON value. */
export type Commands = Readonly<Record<string, (args: never) => unknown>>;

export interface Request {
  readonly id: number;
  readonly command: string;
  readonly args: unknown;
}

export interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}
