import {
  type Control,
  type ControlAnswers,
  type ControlHandler,
  ControlHandlers,
  type ControlKind,
  wellFormedAnswers,
} from '@leque/core';

/** The control of a single process, which sends requests to itself. */
export class MemoryControl implements Control {
  readonly #nodeId: string;
  readonly #handlers = new ControlHandlers();

  constructor(nodeId: string) {
    this.#nodeId = nodeId;
  }

  handle<Q, A>(kind: ControlKind<Q, A>, handler: ControlHandler<Q, A>): void {
    this.#handlers.add(kind, handler);
  }

  async request<Q, A>(kind: ControlKind<Q, A>, body: Q): Promise<ControlAnswers<A>> {
    const bodies = this.#handlers.answersTo(kind.name, body);
    const answers = bodies.map((each) => ({ node: this.#nodeId, body: each }));
    return { answers: wellFormedAnswers(kind, answers), silent: 0 };
  }

  async close(): Promise<void> {}
}
