import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';

/**
 * A kind of request between processes. Bodies travel as JSON, and any program with access to the
 * same Redis may send one, so both directions are checked against their schema.
 */
export interface ControlKind<Request, Answer> {
  /** Name on the wire; processes of different versions must agree on it. */
  readonly name: string;
  isRequest(body: unknown): body is Request;
  isAnswer(body: unknown): body is Answer;
}

export function controlKind<Request extends TSchema, Answer extends TSchema>(
  name: string,
  request: Request,
  answer: Answer,
): ControlKind<Static<Request>, Static<Answer>> {
  const [requests, answers] = [Compile(request), Compile(answer)];
  return {
    name,
    isRequest: (body): body is Static<Request> => requests.Check(body),
    isAnswer: (body): body is Static<Answer> => answers.Check(body),
  };
}

/** Serves a kind of request in one process; undefined when this process has no answer. */
export type ControlHandler<Request, Answer> = (body: Request) => Answer | undefined;

export interface ControlAnswer<Answer> {
  /** Node id of the process that answered. */
  readonly node: string;
  readonly body: Answer;
}

export interface ControlAnswers<Answer> {
  readonly answers: readonly ControlAnswer<Answer>[];
  /** Processes that did not answer in time; undefined where they cannot be counted. */
  readonly silent: number | undefined;
}

/**
 * Requests to every process of the cluster, this one included. Control is for operators: it is too
 * slow, and not reliable enough, for anything that clients wait for.
 */
export interface Control {
  /** Serves a kind from now on; several handlers of one kind all answer, in their order. */
  handle<Q, A>(kind: ControlKind<Q, A>, handler: ControlHandler<Q, A>): void;
  /**
   * Sends a request to all processes. Settles when all have answered, or after
   * `CONTROL_DEADLINE_MS` with the answers that have arrived. Malformed answers are left out, and count
   * as silent.
   * @throws ProtocolError `unavailable` when the request could not be sent
   */
  request<Q, A>(kind: ControlKind<Q, A>, body: Q): Promise<ControlAnswers<A>>;
  close(): Promise<void>;
}

/** Short enough for two requests within a second. */
export const CONTROL_DEADLINE_MS = 350;

/** The handlers of one process, by the name of their kind. */
export class ControlHandlers {
  readonly #byName = new Map<string, ((body: unknown) => unknown)[]>();

  add<Q, A>(kind: ControlKind<Q, A>, handler: ControlHandler<Q, A>): void {
    const checked = (body: unknown) => (kind.isRequest(body) ? handler(body) : undefined);
    this.#byName.set(kind.name, [...(this.#byName.get(kind.name) ?? []), checked]);
  }

  /** One answer of each handler that has one; none to a malformed request. */
  answersTo(name: string, body: unknown): unknown[] {
    const handlers = this.#byName.get(name) ?? [];
    return handlers.map((handle) => handle(body)).filter((answer) => answer !== undefined);
  }
}

/** Leaves out the answers that are not what the kind says. */
export function wellFormedAnswers<Q, A>(
  kind: ControlKind<Q, A>,
  answers: readonly ControlAnswer<unknown>[],
): ControlAnswer<A>[] {
  return answers.filter((answer): answer is ControlAnswer<A> => kind.isAnswer(answer.body));
}
