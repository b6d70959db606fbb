import type {
  ClientResult,
  ClientSpec,
  GroupSpec,
  GroupStatus,
  MissingClient,
} from '../clients/client-spec.ts';
import type { ClientCommands } from '../clients/program.ts';
import { Worker } from '../worker/worker.ts';

const PROGRAM = new URL('../clients/program.ts', import.meta.url);
const OPEN_DEADLINE_MS = 60_000;
const ANSWER_DEADLINE_MS = 30_000;
const RESULTS_DEADLINE_MS = 60_000;

export interface ClientProcessesOptions extends Omit<GroupSpec, 'clients'> {
  readonly clients: readonly ClientSpec[];
  readonly clientsPerProcess: number;
}

/** The processes of the clients. */
export class ClientProcesses implements AsyncDisposable {
  readonly #workers: readonly Worker<ClientCommands>[];

  private constructor(workers: readonly Worker<ClientCommands>[]) {
    this.#workers = workers;
  }

  /** Resolves once all clients have started to connect. */
  static async open({
    clients,
    clientsPerProcess,
    ...rest
  }: ClientProcessesOptions): Promise<ClientProcesses> {
    await using stack = new AsyncDisposableStack();
    const raw = clients.filter(({ kind }) => kind === 'notifications' || kind === 'project');
    const socketio = clients.filter((client) => !raw.includes(client));
    const groups = [raw, socketio].flatMap((group) => chunks(group, clientsPerProcess));
    const workers = groups.map((_, index) =>
      stack.use(new Worker<ClientCommands>(PROGRAM, `clients ${index + 1}`)),
    );
    const opening = workers.map((worker, index) => {
      const group = { ...rest, seed: rest.seed + index, clients: groups[index] ?? [] };
      return worker.ask('open', group, OPEN_DEADLINE_MS);
    });
    await Promise.all(opening);
    stack.move();
    return new ClientProcesses(workers);
  }

  async status(): Promise<GroupStatus> {
    const all = await this.#askAll((worker) => worker.ask('status', {}, ANSWER_DEADLINE_MS));
    const openByChannel: Record<string, number> = {};
    for (const each of all) {
      for (const [channel, open] of Object.entries(each.openByChannel)) {
        openByChannel[channel] = (openByChannel[channel] ?? 0) + open;
      }
    }
    const sum = (field: 'open' | 'connects') => all.reduce((total, each) => total + each[field], 0);
    return { open: sum('open'), connects: sum('connects'), openByChannel };
  }

  /** Clients whose subscriptions are not established, and why. */
  async missing(): Promise<MissingClient[]> {
    const all = await this.#askAll((worker) => worker.ask('missing', {}, ANSWER_DEADLINE_MS));
    return all.flat();
  }

  /** Number of clients that have not received everything up to these numbers. */
  async behind(required: Readonly<Record<string, number>>): Promise<number> {
    const all = await this.#askAll((worker) => worker.ask('behind', required, ANSWER_DEADLINE_MS));
    return all.reduce((sum, count) => sum + count, 0);
  }

  /** Starts or stops the measurement of pauses. */
  async time(on: boolean): Promise<void> {
    await this.#askAll((worker) => worker.ask('time', { on }, ANSWER_DEADLINE_MS));
  }

  /** Cuts all connections, and refuses new ones for this time. */
  async down(forMs: number): Promise<void> {
    await this.#askAll((worker) => worker.ask('down', { forMs }, ANSWER_DEADLINE_MS));
  }

  async stall(ids: readonly string[], on: boolean): Promise<void> {
    await this.#askAll((worker) => worker.ask('stall', { ids, on }, ANSWER_DEADLINE_MS));
  }

  /** Lets these clients leave for a time; they miss more than fits at once. */
  async leave(ids: readonly string[], forMs: number): Promise<void> {
    await this.#askAll((worker) => worker.ask('leave', { ids, forMs }, ANSWER_DEADLINE_MS));
  }

  async results(): Promise<ClientResult[]> {
    const all = await this.#askAll((worker) => worker.ask('results', {}, RESULTS_DEADLINE_MS));
    return all.flat();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker[Symbol.asyncDispose]()));
  }

  #askAll<T>(ask: (worker: Worker<ClientCommands>) => Promise<T>): Promise<T[]> {
    return Promise.all(this.#workers.map(ask));
  }
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}
