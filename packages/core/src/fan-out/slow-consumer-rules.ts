import { tryParseChannel } from '@leque/protocol';

/** How publications are left out for a client that reads too slowly, instead of closing it. */
export type SlowConsumerRule =
  | { readonly kind: 'drop-oldest' }
  | {
      readonly kind: 'conflate';
      /**
       * Maps an event type to a field of `data`: only the newest publication of each value is kept.
       */
      readonly keys: ReadonlyMap<string, string>;
    };

/** The rule for a channel; undefined where slow clients are closed. */
export type SlowConsumerRules = (channel: string) => SlowConsumerRule | undefined;

const RULE = /^(\S+) +(drop-oldest|conflate +(\S+))$/;
const KEY = /^([A-Za-z0-9._:-]{1,64})\/([A-Za-z0-9_]{1,64})$/;
const ALL_OF_KIND = /^(project|user):\*$/;

/**
 * Parses rules such as `logs drop-oldest; project:* conflate job_progress/job_id`. A rule is for
 * one channel, or with `*` for all projects or users; a rule for the exact channel wins.
 * @throws Error whose message quotes the invalid rule
 */
export function parseSlowConsumerRules(text: string): SlowConsumerRules {
  const rules = new Map(
    text
      .split(';')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map(parseRule),
  );
  return (channel) => rules.get(channel) ?? rules.get(`${tryParseChannel(channel)?.kind}:*`);
}

function parseRule(text: string): [string, SlowConsumerRule] {
  const [, pattern = '', rule, keys] = RULE.exec(text) ?? [];
  if (rule === undefined || !isPattern(pattern)) throw wrong(text);
  if (keys === undefined) return [pattern, { kind: 'drop-oldest' }];
  const pairs = keys.split(',').map((key): [string, string] => {
    const [, type, field] = KEY.exec(key) ?? [];
    if (type === undefined || field === undefined) throw wrong(text);
    return [type, field];
  });
  return [pattern, { kind: 'conflate', keys: new Map(pairs) }];
}

function isPattern(text: string): boolean {
  return ALL_OF_KIND.test(text) || tryParseChannel(text) !== undefined;
}

function wrong(rule: string): Error {
  return new Error(
    `"${rule}" is not a rule; write CHANNEL drop-oldest, or CHANNEL conflate TYPE/FIELD[,TYPE/FIELD…]`,
  );
}
