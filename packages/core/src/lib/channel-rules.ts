import { tryParseChannel } from '@leque/protocol';

const PREFIX = /^(?:project|user):(?:[\w.:@+~-]|%[0-9A-F]{2})*\*$/;
const RULE = /^(\S+) +(.+)$/;

/**
 * Finds the rule of a channel. A pattern is the name of a channel, or, with `*` at its end, the
 * beginning of the names of projects or users: `project:stream:*`.
 */
export class ChannelRules<R> {
  readonly #exact = new Map<string, R>();
  readonly #prefixes: (readonly [prefix: string, rule: R])[] = [];

  /** @param rules of two for the same pattern the later one counts */
  constructor(rules: Iterable<readonly [pattern: string, rule: R]>) {
    const byPattern = new Map(rules);
    for (const [pattern, rule] of byPattern) {
      if (pattern.endsWith('*')) this.#prefixes.push([pattern.slice(0, -1), rule]);
      else this.#exact.set(pattern, rule);
    }
    this.#prefixes.sort(([one], [other]) => other.length - one.length);
  }

  get exact(): ReadonlyMap<string, R> {
    return this.#exact;
  }

  /** The longest first. */
  get prefixes(): readonly (readonly [prefix: string, rule: R])[] {
    return this.#prefixes;
  }

  /** The rule for the channel itself, else that of its longest prefix. */
  find(channel: string): R | undefined {
    const exact = this.#exact.get(channel);
    if (exact !== undefined || this.#prefixes.length === 0) return exact;
    return this.#prefixes.find(([prefix]) => channel.startsWith(prefix))?.[1];
  }
}

/**
 * Parses rules such as `logs drop-oldest; project:stream:* drop-oldest`, separated by `;`.
 * @param parse reads what follows the pattern; undefined when it is wrong
 * @param form how a rule is written, for the error
 * @throws Error whose message quotes the invalid rule
 */
export function parseChannelRules<R>(
  text: string,
  parse: (rule: string, pattern: string) => R | undefined,
  form: string,
): ChannelRules<R> {
  const parts = text.split(';').map((part) => part.trim());
  const rules = parts
    .filter((part) => part !== '')
    .map((part): [string, R] => {
      const [, pattern = '', rest = ''] = RULE.exec(part) ?? [];
      const rule = isPattern(pattern) ? parse(rest, pattern) : undefined;
      if (rule === undefined) throw new Error(`"${part}" is not a rule; write ${form}`);
      return [pattern, rule];
    });
  return new ChannelRules(rules);
}

function isPattern(text: string): boolean {
  return PREFIX.test(text) || tryParseChannel(text) !== undefined;
}
