/** JSON, as it travels between processes. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** What a process answers to a question; undefined when it has nothing to say. */
export type Answerer = (body: Json) => Json | undefined;

export interface ControlAnswer {
  /** The process that answered, by its node id. */
  readonly node: string;
  readonly body: Json;
}

export interface ControlAnswers {
  readonly answers: readonly ControlAnswer[];
  /** Processes that were asked and did not answer in time; undefined where nobody knows. */
  readonly silent: number | undefined;
}

/**
 * Questions and commands to every process of the cluster, this one included. For operators: far
 * too slow, and not reliable enough, for what clients wait for.
 */
export interface Control {
  /** Answers a kind of question from now on; several may answer the same kind, in their order. */
  answer(kind: string, answerer: Answerer): void;
  /**
   * Asks all processes, and settles when all have answered, or after `CONTROL_DEADLINE_MS` with
   * the answers that there are.
   * @throws ProtocolError `unavailable` when nobody could be asked
   */
  ask(kind: string, body: Json): Promise<ControlAnswers>;
  close(): Promise<void>;
}

/** Short enough for two questions within a second. */
export const CONTROL_DEADLINE_MS = 350;

/** What the answerers of one process have to say, by kind. */
export class Answerers {
  readonly #byKind = new Map<string, Answerer[]>();

  add(kind: string, answerer: Answerer): void {
    this.#byKind.set(kind, [...(this.#byKind.get(kind) ?? []), answerer]);
  }

  /** One for each that has something to say. */
  answersTo(kind: string, body: Json): Json[] {
    const answerers = this.#byKind.get(kind) ?? [];
    return answerers.map((answer) => answer(body)).filter((answer) => answer !== undefined);
  }
}
