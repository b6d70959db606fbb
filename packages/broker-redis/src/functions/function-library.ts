import { readFileSync } from 'node:fs';
import type { EventOptions, HistoryLimit, HistoryOptions, Telemetry } from '@leque/core';
import { MAX_DEPTH, ProtocolError } from '@leque/protocol';
import type { Redis } from 'ioredis';
import { isReply } from '../connection/redis-errors.ts';
import {
  explainFunctions,
  type RedisFailure,
  serverVersion,
} from '../connection/redis-failures.ts';
import { type Command, sendTogether } from '../connection/send-together.ts';
import { addressRules, eventData, eventFields } from './event-rules.ts';

/**
 * Grows with every change of the functions. A process leaves a library of a higher version alone, so
 * that the last processes of an old release do not undo a new one.
 */
const VERSION = 20;
/** The functions that processes call. */
const CALLED = [
  'leque_append',
  'leque_append_each',
  'leque_position',
  'leque_history',
  'leque_lease',
  'leque_probe',
];
const FOREIGN =
  'another program has loaded a Function library named "leque" into this Redis; give Leque a Redis ' +
  'of its own, or remove that library with FUNCTION DELETE leque';
const NOT_LOADED: RedisFailure = { sentence: 'the functions are not loaded yet', isFinal: false };
const VERSION_LINE = /^-- leque version (\d+)$/m;
const META_TTL_MS = 7 * 24 * 3600 * 1000;
const PARTS = [
  'library',
  'epochs',
  'log',
  'append',
  'event-checks',
  'event-text',
  'event',
  'publish',
  'position',
  'history',
  'lease',
  'checks',
];

/** The functions keep and accept what these settings say. All processes of an installation have the same. */
export interface LibraryOptions extends HistoryOptions {
  readonly events: EventOptions;
}

const rendered = new WeakMap<LibraryOptions, string>();

/** Renders the source of the Function library, with the limits of this process in it. */
function libraryFor(limits: LibraryOptions): string {
  const code = rendered.get(limits) ?? renderLibrary(limits);
  rendered.set(limits, code); // each master of a Redis Cluster gets the same
  return code;
}

function renderLibrary(limits: LibraryOptions): string {
  const { history, rules, idempotencyTtlMs, firehose, events } = limits;
  const config = {
    limits: limitsOf(Object.entries(history)),
    channel_limits: limitsOf(rules?.exact ?? []),
    // A list, because Lua has no order in objects.
    prefix_limits: (rules?.prefixes ?? []).map(([prefix, limit]) => ({
      prefix,
      ...limitOf(limit),
    })),
    idempotency_ttl_ms: idempotencyTtlMs,
    meta_ttl_ms: META_TTL_MS,
    firehose,
    event_schemas: events.schemas,
    max_event_bytes: events.maxBytes,
    max_depth: MAX_DEPTH,
    event_fields: eventFields(),
    event_data: eventData(),
    ...addressRules(),
  };
  const parts = PARTS.map((name) =>
    readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8'),
  );
  return [
    '#!lua name=leque',
    `-- leque version ${VERSION}`,
    `local CONFIG_JSON = [==[${JSON.stringify(config)}]==]`,
    ...parts,
  ].join('\n');
}

function limitsOf(limits: Iterable<readonly [string, HistoryLimit]>) {
  return Object.fromEntries(Array.from(limits, ([name, limit]) => [name, limitOf(limit)]));
}

function limitOf({ size, ttlMs }: HistoryLimit) {
  return { size, ttl_ms: ttlMs };
}

/** Calls Leque's functions on one server, and loads them when they are missing. */
export class FunctionLibrary {
  readonly #redis: Redis;
  readonly #code: string;
  readonly #telemetry: Telemetry;
  #conflictReported = false;
  #loading: Promise<void> | undefined;
  #problem: RedisFailure | undefined = NOT_LOADED;

  constructor(redis: Redis, limits: LibraryOptions, telemetry: Telemetry) {
    this.#redis = redis;
    this.#telemetry = telemetry;
    this.#code = libraryFor(limits);
  }

  /** Why the functions cannot be called; undefined when they can. */
  get problem(): RedisFailure | undefined {
    return this.#problem;
  }

  /** Makes sure that Redis has these functions, or newer ones. */
  load(): Promise<void> {
    this.#loading ??= this.#tryToLoad().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /**
   * Runs a command that calls the functions. A Redis that came back empty has lost them: then they
   * are loaded once more.
   */
  async run<T>(command: Command<T>): Promise<T> {
    try {
      const reply = await sendTogether(this.#redis, command);
      this.#problem = undefined; // another process has loaded them
      return reply;
    } catch (error) {
      if (!isFunctionMissing(error)) throw error;
      await this.load();
      return await sendTogether(this.#redis, command);
    }
  }

  async #tryToLoad(): Promise<void> {
    try {
      await this.#load();
      this.#problem = undefined;
    } catch (error) {
      this.#problem = await this.#explain(causeOf(error));
      throw error;
    }
  }

  async #explain(error: unknown): Promise<RedisFailure> {
    const known = error instanceof Error ? error : new Error(String(error));
    const failure = explainFunctions(known, isReply(error) ? await this.#server() : undefined);
    if (failure.isFinal) return failure;
    return { ...failure, sentence: `the functions could not be loaded: ${failure.sentence}` };
  }

  /** The name and version of the server; undefined where it does not say. */
  async #server(): Promise<string | undefined> {
    return await this.#redis.info('server').then(serverVersion, () => undefined);
  }

  async #load(): Promise<void> {
    const libraries = await this.#redis.function('LIST', 'LIBRARYNAME', 'leque', 'WITHCODE');
    const present = codeOf(libraries);
    if (isForeign(present)) throw this.#foreign();
    if (present === this.#code || versionOf(present) > VERSION) return;
    await this.#redis.function('LOAD', 'REPLACE', this.#code);
    if (versionOf(present) === VERSION && configOf(present) !== configOf(this.#code)) {
      this.#reportConflict();
    }
  }

  /** Its functions are somebody's: they are not replaced, and cannot be called instead of these. */
  #foreign(): ProtocolError {
    this.#telemetry.report({ type: 'broker_refused', detail: FOREIGN });
    return new ProtocolError('unavailable', 'Redis refused; try again later', {
      cause: new Error(FOREIGN),
    });
  }

  /** Reports once: both processes replace the functions of the other whenever they connect. */
  #reportConflict(): void {
    if (this.#conflictReported) return;
    this.#conflictReported = true;
    const error = new Error(
      'another process uses this Redis with other HISTORY_*, IDEMPOTENCY_TTL, FIREHOSE, ' +
        'MAX_EVENT_SIZE or EVENT_SCHEMAS settings; those of the process that connected last apply to all, so give all the same',
    );
    this.#telemetry.report({ type: 'failure', where: 'functions', error });
  }
}

/** Returns the release of the functions that Redis has, when it is newer than this one. */
export async function newerFunctionsOf(redis: Redis): Promise<number | undefined> {
  const libraries = await redis.function('LIST', 'LIBRARYNAME', 'leque', 'WITHCODE');
  const version = versionOf(codeOf(libraries));
  return version > VERSION ? version : undefined;
}

function causeOf(error: unknown): unknown {
  return error instanceof ProtocolError ? error.cause : error;
}

function isFunctionMissing(error: unknown): boolean {
  return isReply(error) && error.message.includes('Function not found');
}

/** @param libraries a list of libraries, each a flat list of names and values */
function codeOf(libraries: unknown): string {
  const [library] = libraries as unknown[][];
  const at = library?.indexOf('library_code') ?? -1;
  return at < 0 ? '' : String(library?.[at + 1]);
}

/** Whether a library is of another program: of no release, or of a later one without functions. */
function isForeign(code: string): boolean {
  if (code === '') return false;
  if (!VERSION_LINE.test(code)) return true;
  return versionOf(code) > VERSION && !CALLED.every((name) => code.includes(name));
}

function configOf(code: string): string | undefined {
  return /^local CONFIG_JSON = (.*)$/m.exec(code)?.[1];
}

function versionOf(code: string): number {
  return Number(VERSION_LINE.exec(code)?.[1] ?? 0);
}
