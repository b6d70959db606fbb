import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { LineProcess } from '../load/line-process.ts';
import { type Figures, known } from '../results/figures.ts';
import { median } from '../results/statistics.ts';
import type { RunningTarget } from '../targets/target.ts';
import { largeEvent, projectId } from '../workloads/event.ts';
import type { ResumingClients } from '../workloads/setups.ts';

const CLIENTS = fileURLToPath(new URL('../load/resuming-clients.ts', import.meta.url));
const READY_MS = 60_000;
const ROUND_MS = 120_000;
const FILL_MS = 30_000;
/** Events that are written before their answers are awaited. */
const BATCH = 100;

interface Round {
  readonly seconds: number;
  readonly bytes: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly reordered: number;
  readonly closed: number;
}

/** These counts are sums over all rounds. */
export type ResumeFaults = Pick<Round, 'lost' | 'duplicates' | 'reordered' | 'closed'>;

export interface ResumesOptions extends ResumingClients {
  readonly server: RunningTarget;
  readonly channel: number;
}

/** Clients in a process of their own that resume a filled project from its beginning, again and again. */
export class Resumes implements AsyncDisposable {
  readonly #child: LineProcess;
  readonly #rounds: Round[] = [];
  #isStopping = false;
  #running: Promise<void> = Promise.resolve();

  private constructor(child: LineProcess) {
    this.#child = child;
  }

  /** Resolves once the project has its history. */
  static async prepare({ server, channel, clients, events }: ResumesOptions): Promise<Resumes> {
    await using stack = new AsyncDisposableStack();
    const [address = ''] = server.addresses;
    const args = [CLIENTS, address, projectId(channel), String(clients), String(events)];
    const resumes = new Resumes(stack.use(new LineProcess(process.execPath, args)));
    await resumes.#child.next('ready', READY_MS);
    await fill(server, channel, events);
    stack.move();
    return resumes;
  }

  start(): void {
    this.#running = this.#run();
    this.#running.catch(() => {}); // `stop` reports it
  }

  /** Resolves after the round that is running. @throws Error when a round did not end */
  async stop(): Promise<{ readonly figures: Figures; readonly faults: ResumeFaults }> {
    this.#isStopping = true;
    await this.#running;
    const rounds = this.#rounds;
    const sum = (name: keyof Round) => rounds.reduce((total, each) => total + each[name], 0);
    return {
      figures: known([
        ['resumeSeconds', median(rounds.map(({ seconds }) => seconds))],
        ['resumeMbPerSecond', sum('bytes') / 1e6 / sum('seconds')],
      ]),
      faults: {
        lost: sum('lost'),
        duplicates: sum('duplicates'),
        reordered: sum('reordered'),
        closed: sum('closed'),
      },
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    return this.#child[Symbol.asyncDispose]();
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      this.#child.send('round');
      this.#rounds.push(await this.#child.next<Round>('round', ROUND_MS));
    }
  }
}

/** @throws Error when an event was refused, or not answered in time */
async function fill(server: RunningTarget, channel: number, events: number): Promise<void> {
  const { address, error, ack = '' } = server.publishing;
  const [host, port] = address.split(':');
  const socket = connect(Number(port), host);
  const signal = AbortSignal.timeout(FILL_MS);
  try {
    await once(socket, 'connect', { signal });
    for (let first = 1; first <= events; first += BATCH) {
      const count = Math.min(BATCH, events - first + 1);
      for (let n = first; n < first + count; n += 1) {
        socket.write(server.publication(channel, largeEvent(channel, n)));
      }
      let answers = '';
      while (answers.split(ack).length <= count) {
        answers += String((await once(socket, 'data', { signal }))[0]);
        if (answers.includes(error)) throw new Error(`an event was refused: ${answers}`);
      }
    }
  } finally {
    socket.destroy();
  }
}
