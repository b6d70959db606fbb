import type { FastifyBaseLogger } from 'fastify';

type Level = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';
type Bindings = Readonly<Record<string, unknown>>;

/** The logger of a server. */
export interface ServerLogger extends FastifyBaseLogger {
  isLevelEnabled(level: string): boolean;
}

/**
 * The logger of one request, whose id is in each line. The first line makes the child logger of Pino,
 * because making one takes longer than routing the request, and few requests write a line.
 */
export class RequestLogger implements FastifyBaseLogger {
  readonly #server: ServerLogger;
  readonly #bindings: Bindings;
  #own: FastifyBaseLogger | undefined;

  constructor(server: ServerLogger, bindings: Bindings) {
    this.#server = server;
    this.#bindings = bindings;
  }

  get level(): string {
    return this.#server.level;
  }

  child(...[bindings, options]: Parameters<FastifyBaseLogger['child']>): FastifyBaseLogger {
    return this.#server.child({ ...this.#bindings, ...bindings }, options);
  }

  fatal(...line: unknown[]): void {
    this.#write('fatal', line);
  }

  error(...line: unknown[]): void {
    this.#write('error', line);
  }

  warn(...line: unknown[]): void {
    this.#write('warn', line);
  }

  info(...line: unknown[]): void {
    this.#write('info', line);
  }

  debug(...line: unknown[]): void {
    this.#write('debug', line);
  }

  trace(...line: unknown[]): void {
    this.#write('trace', line);
  }

  silent(): void {}

  #write(level: Level, line: unknown[]): void {
    if (!this.#server.isLevelEnabled(level)) return;
    this.#own ??= this.#server.child(this.#bindings);
    const write: (...line: unknown[]) => void = this.#own[level];
    write.apply(this.#own, line);
  }
}
