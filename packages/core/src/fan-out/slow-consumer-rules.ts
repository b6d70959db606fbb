import { tryParseChannel } from '@leque/protocol';

/** What is done for a client that reads more slowly than a channel brings; it is closed without one. */
export type SlowConsumerRule =
  | { readonly kind: 'drop-oldest' }
  | {
      readonly kind: 'conflate';
      /** By event type, the field of `data` of whose values only the newest publication counts. */
      readonly keys: ReadonlyMap<string, string>;
    };

/** The rule of a channel; undefined where slow clients are closed. */
export type SlowConsumerRules = (channel: string) => SlowConsumerRule | undefined;

const RULE = /^(\S+) +(drop-oldest|conflate +(\S+))$/;
const KEY = /^([A-Za-z0-9._:-]{1,64})\/([A-Za-z0-9_]{1,64})$/;
const PATTERN = /^(all|logs|firehose|(project|user):[A-Za-z0-9._:@+-]{1,128}|(project|user):\*)$/;

/**
 * Reads rules such as `logs drop-oldest; project:* conflate job_progress/job_id`. A rule names a
 * channel, or all projects or users with `*`; what is named exactly wins.
 * @throws Error that names the rule that is wrong
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
  if (rule === undefined || !PATTERN.test(pattern)) throw wrong(text);
  if (keys === undefined) return [pattern, { kind: 'drop-oldest' }];
  const pairs = keys.split(',').map((key): [string, string] => {
    const [, type, field] = KEY.exec(key) ?? [];
    if (type === undefined || field === undefined) throw wrong(text);
    return [type, field];
  });
  return [pattern, { kind: 'conflate', keys: new Map(pairs) }];
}

function wrong(rule: string): Error {
  return new Error(
    `"${rule}" is no rule: CHANNEL drop-oldest, or CHANNEL conflate TYPE/FIELD[,TYPE/FIELD…]`,
  );
}
