type Task = () => void | Promise<void>;

/** Whose commands they are. */
export interface CommandOwner {
  /** A command threw what it should have caught. */
  failed(error: unknown): void;
}

/**
 * Runs one connection's commands one after the other, so that answers come in the order of the
 * questions. Bounded: a client that asks faster than it can be answered is told so. While nothing
 * waits it holds nothing.
 */
export class CommandQueue {
  readonly #maxWaiting: number;
  readonly #owner: CommandOwner;
  /** The one that runs, and those that wait; undefined when there is none. */
  #tasks: Task[] | undefined;

  constructor(maxWaiting: number, owner: CommandOwner) {
    this.#maxWaiting = maxWaiting;
    this.#owner = owner;
  }

  /** False, and the task is not run, when too many wait. */
  push(task: Task): boolean {
    if (this.#tasks === undefined) {
      this.#tasks = [task];
      void this.#run(this.#tasks);
      return true;
    }
    if (this.#tasks.length >= this.#maxWaiting) return false;
    this.#tasks.push(task);
    return true;
  }

  async #run(tasks: Task[]): Promise<void> {
    await undefined; // whoever pushed goes on first
    for (let task = tasks[0]; task !== undefined; task = tasks[0]) {
      try {
        await task();
      } catch (error) {
        this.#owner.failed(error);
      }
      tasks.shift();
    }
    this.#tasks = undefined;
  }
}
