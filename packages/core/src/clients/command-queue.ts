type Task = () => void | Promise<void>;

/** The session that gives the commands. */
export interface CommandOwner {
  /** Called with an error that a task should have caught. */
  failed(error: unknown): void;
  /** Called when all tasks are done; the queue may be dropped then. */
  idle?(): void;
}

/**
 * Runs one connection's commands one after the other, so that answers keep the order of the
 * commands. It is bounded, and holds no memory while no command waits.
 */
export class CommandQueue {
  readonly #maxWaiting: number;
  readonly #owner: CommandOwner;
  /** The task that runs, and those that wait; undefined when there is none. */
  #tasks: Task[] | undefined;

  constructor(maxWaiting: number, owner: CommandOwner) {
    this.#maxWaiting = maxWaiting;
    this.#owner = owner;
  }

  /** @returns false when too many wait; the task is not run then */
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
    await undefined; // the caller of `push` continues first
    for (let task = tasks[0]; task !== undefined; task = tasks[0]) {
      try {
        await task();
      } catch (error) {
        this.#owner.failed(error);
      }
      tasks.shift();
    }
    this.#tasks = undefined;
    this.#owner.idle?.();
  }
}
