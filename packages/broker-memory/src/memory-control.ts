import {
  type Answerer,
  Answerers,
  type Control,
  type ControlAnswers,
  type Json,
} from '@leque/core';

/** One process asks itself. */
export class MemoryControl implements Control {
  readonly #nodeId: string;
  readonly #answerers = new Answerers();

  constructor(nodeId: string) {
    this.#nodeId = nodeId;
  }

  answer(kind: string, answerer: Answerer): void {
    this.#answerers.add(kind, answerer);
  }

  async ask(kind: string, body: Json): Promise<ControlAnswers> {
    const bodies = this.#answerers.answersTo(kind, body);
    return { answers: bodies.map((each) => ({ node: this.#nodeId, body: each })), silent: 0 };
  }

  async close(): Promise<void> {}
}
