import { parseChannelRules } from '../lib/channel-rules.ts';

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

const RULE = /^(drop-oldest|conflate +(\S+))$/;
const KEY = /^([A-Za-z0-9._:-]{1,64})\/([A-Za-z0-9_]{1,64})$/;
const FORM =
  'CHANNEL drop-oldest, or CHANNEL conflate TYPE/FIELD[,TYPE/FIELD…], with * for many channels';

/**
 * Parses rules such as `logs drop-oldest; project:* conflate job_progress/job_id`. See `ChannelRules`
 * for the patterns of channels.
 * @throws Error whose message quotes the invalid rule
 */
export function parseSlowConsumerRules(text: string): SlowConsumerRules {
  const rules = parseChannelRules(text, parseRule, FORM);
  return (channel) => rules.find(channel);
}

function parseRule(text: string): SlowConsumerRule | undefined {
  const [, rule, keys] = RULE.exec(text) ?? [];
  if (rule === undefined) return undefined;
  if (keys === undefined) return { kind: 'drop-oldest' };
  const pairs = new Map<string, string>();
  for (const key of keys.split(',')) {
    const [, type, field] = KEY.exec(key) ?? [];
    if (type === undefined || field === undefined) return undefined;
    pairs.set(type, field);
  }
  return { kind: 'conflate', keys: pairs };
}
