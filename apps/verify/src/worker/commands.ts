/** What a worker can be asked, by name: one argument, and an answer that JSON can carry. */
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
