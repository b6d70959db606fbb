import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { LogLinear } from './node-load/log-linear.ts';
import { readRecords } from './node-load/read-spec.ts';

const HEAD_END = '\r\n\r\n';
const DRAIN_MS = 10_000;
const LOOK_MS = 2;

/** See native/http_load.c. */
interface Plan {
  readonly address: string;
  readonly connections: number;
  readonly rate: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly requests: readonly Buffer[];
  readonly storedText: string;
}

interface Client {
  readonly socket: Socket;
  /** When the request in flight was due, ms; undefined while there is none. */
  dueAt: number | undefined;
  received: string;
}

/**
 * The load of the publish API where there is no C compiler: the same arguments and lines as
 * native/http_load.c. It may cost more than the publisher that it measures.
 */
class Load {
  readonly #plan: Plan;
  readonly #clients: readonly Client[];
  readonly #from: number;
  readonly #to: number;
  readonly #begin = performance.now();
  readonly #latencies = new LogLinear();
  readonly #counts = {
    requests: 0,
    stored: 0,
    failed: 0,
    measured_requests: 0,
    measured_stored: 0,
  };
  #issued = 0;
  #lateMs = 0;
  #failure = '';

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#from = this.#begin + plan.warmupSeconds * 1000;
    this.#to = this.#from + plan.seconds * 1000;
    const [host = '', port = ''] = plan.address.split(':');
    this.#clients = Array.from({ length: plan.connections }, () => {
      const socket = connect(Number(port), host).setNoDelay().setEncoding('latin1');
      const client: Client = { socket, dueAt: undefined, received: '' };
      socket.on('data', (text: string) => this.#receive(client, text));
      socket.on('error', (error) => fail(error.message));
      return client;
    });
  }

  async run(): Promise<void> {
    const timer = setInterval(() => this.#sendDue(), LOOK_MS);
    this.#sendDue();
    await delay(this.#from - performance.now());
    say({ event: 'started' });
    await delay(this.#to - performance.now());
    say({ event: 'stopped' });
    clearInterval(timer);
    const deadline = performance.now() + DRAIN_MS;
    while (this.#unanswered() > 0 && performance.now() < deadline) await delay(LOOK_MS);
    say(this.#result());
  }

  #sendDue(): void {
    for (const client of this.#clients) {
      const now = performance.now();
      const due =
        this.#plan.rate === 0 ? now : this.#begin + (this.#issued * 1000) / this.#plan.rate;
      if (due > now || due >= this.#to) return;
      if (client.dueAt === undefined) this.#send(client, due);
    }
  }

  #send(client: Client, due: number): void {
    client.dueAt = due;
    this.#lateMs = Math.max(this.#lateMs, performance.now() - due);
    const request = this.#plan.requests[this.#issued % this.#plan.requests.length];
    this.#issued += 1;
    if (request !== undefined) client.socket.write(request);
  }

  #receive(client: Client, text: string): void {
    client.received += text;
    const headEnd = client.received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const [, bytes] = /\ncontent-length: *(\d+)/i.exec(client.received.slice(0, headEnd)) ?? [];
    if (bytes === undefined) fail('an answer has no Content-Length');
    if (client.received.length < headEnd + HEAD_END.length + Number(bytes)) return;
    this.#finish(client, client.received);
    client.received = '';
    client.dueAt = undefined;
    if (this.#plan.rate === 0 && performance.now() < this.#to)
      this.#send(client, performance.now());
  }

  #finish({ dueAt = 0 }: Client, answer: string): void {
    const now = performance.now();
    const stored = answer.split(this.#plan.storedText).length - 1;
    this.#counts.requests += 1;
    this.#counts.stored += stored;
    if (!answer.startsWith('HTTP/1.1 2')) {
      this.#counts.failed += 1;
      this.#failure ||= answer.slice(0, answer.indexOf('\r'));
    }
    if (now >= this.#from && now < this.#to) {
      this.#counts.measured_requests += 1;
      this.#counts.measured_stored += stored;
    }
    if (dueAt < this.#from || dueAt >= this.#to) return;
    this.#latencies.add(Math.ceil((now - dueAt) * 1000));
  }

  #unanswered(): number {
    return this.#clients.filter(({ dueAt }) => dueAt !== undefined).length;
  }

  #result() {
    return {
      event: 'result',
      ...this.#counts,
      unanswered: this.#unanswered(),
      late_us_max: Math.round(this.#lateMs * 1000),
      seconds: this.#plan.seconds,
      failure: this.#failure,
      histogram: this.#latencies.entries(),
    };
  }
}

function readPlan([address = '', ...rest]: readonly string[]): Plan {
  const [connections, rate, seconds, warmupSeconds] = rest.map(Number);
  return {
    address,
    connections: connections ?? 0,
    rate: rate ?? 0,
    seconds: seconds ?? 0,
    warmupSeconds: warmupSeconds ?? 0,
    requests: readRecords(rest[4] ?? ''),
    storedText: rest[5] ?? '',
  };
}

function say(event: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

function fail(message: string): never {
  say({ event: 'error', message });
  process.exit(1);
}

process.stdin.on('end', () => process.exit(1)).resume();
await new Load(readPlan(process.argv.slice(2))).run();
process.exit(0);
