import { type HistoryKind, historyKind } from '@leque/protocol';
import { type Static, Type } from 'typebox';
import { type ChannelRules, parseChannelRules } from '../lib/channel-rules.ts';
import type { ConfigRule } from '../lib/config-rule.ts';

const MAX_SIZE = 1_000_000;
const MAX_TTL = 30 * 24 * 3600;
const seconds = (fallback: number, description: string) =>
  Type.Integer({ default: fallback, minimum: 1, maximum: MAX_TTL, description });
const publications = (fallback: number, description: string) =>
  Type.Integer({ default: fallback, minimum: 1, maximum: MAX_SIZE, description });

/** Configures how much any broker keeps of each channel. */
export const HistorySettings = Type.Object({
  HISTORY_PROJECT_SIZE: publications(1000, 'publications kept for each project'),
  HISTORY_PROJECT_TTL: seconds(300, 'seconds for which they are kept after the newest one'),
  HISTORY_USER_SIZE: publications(200, 'publications kept for each user'),
  HISTORY_USER_TTL: seconds(300, 'seconds for which they are kept after the newest one'),
  HISTORY_ALL_SIZE: publications(200, 'publications kept for the channel `all`'),
  HISTORY_ALL_TTL: seconds(300, 'seconds for which they are kept after the newest one'),
  HISTORY_RULES: Type.String({
    default: '',
    description:
      'other sizes and times for some channels, separated by `;`. A rule is a channel, or with `*` the ' +
      'beginning of the names of projects or users, and `size=PUBLICATIONS`, `ttl=SECONDS` or both. ' +
      'The rule of the channel itself counts before those of prefixes, and a longer prefix before a ' +
      'shorter one. For example `project:stream:* size=5000 ttl=600; all size=50`',
  }),
  IDEMPOTENCY_TTL: seconds(300, 'seconds in which a repeated idempotency key stores nothing'),
  FIREHOSE: Type.Enum(['on', 'off'], {
    default: 'on',
    description: 'whether project publications are repeated for clients that may see all projects',
  }),
});
export type HistorySettings = Static<typeof HistorySettings>;

/** How many publications of a channel are kept, and for how long after the newest one. */
export interface HistoryLimit {
  readonly size: number;
  readonly ttlMs: number;
}

export interface HistoryOptions {
  readonly history: Readonly<Record<HistoryKind, HistoryLimit>>;
  /** The limits of some channels, in place of those of their kind; absent for none. */
  readonly rules?: ChannelRules<HistoryLimit>;
  readonly idempotencyTtlMs: number;
  /** Whether project publications are repeated for clients that may see all projects. */
  readonly firehose: boolean;
}

/** The limit of a channel; undefined for one that keeps no history. */
export function historyLimitOf(
  { history, rules }: Pick<HistoryOptions, 'history' | 'rules'>,
  channel: string,
): HistoryLimit | undefined {
  const kind = historyKind(channel);
  return kind && (rules?.find(channel) ?? history[kind]);
}

/** Converts the settings to the options of brokers, with times in milliseconds. */
export function historyOptions(settings: HistorySettings): HistoryOptions {
  const limit = (size: number, ttlSeconds: number) => ({ size, ttlMs: ttlSeconds * 1000 });
  const history = {
    project: limit(settings.HISTORY_PROJECT_SIZE, settings.HISTORY_PROJECT_TTL),
    user: limit(settings.HISTORY_USER_SIZE, settings.HISTORY_USER_TTL),
    all: limit(settings.HISTORY_ALL_SIZE, settings.HISTORY_ALL_TTL),
  };
  return {
    history,
    rules: parseHistoryRules(settings.HISTORY_RULES, history),
    idempotencyTtlMs: settings.IDEMPOTENCY_TTL * 1000,
    firehose: settings.FIREHOSE === 'on',
  };
}

/** Checks HISTORY_RULES. */
export const historyRule: ConfigRule<Pick<HistorySettings, 'HISTORY_RULES'>> = (settings) => {
  try {
    parseHistoryRules(String(settings.HISTORY_RULES ?? ''), NO_HISTORY);
    return [];
  } catch (error) {
    return [`HISTORY_RULES ${error instanceof Error ? error.message : String(error)}`];
  }
};

const NONE: HistoryLimit = { size: 0, ttlMs: 0 };
/** Used where rules are only checked, so that the limits do not matter. */
const NO_HISTORY: HistoryOptions['history'] = { project: NONE, user: NONE, all: NONE };

function parseHistoryRules(
  text: string,
  history: HistoryOptions['history'],
): ChannelRules<HistoryLimit> {
  return parseChannelRules(
    text,
    (rule, pattern) => {
      const kind = historyKind(pattern.replace(/\*$/, 'id'));
      return kind && parseHistoryRule(rule, history[kind]);
    },
    'CHANNEL size=NUMBER ttl=SECONDS for a project, a user or all, with * for many channels; ' +
      `size is at most ${MAX_SIZE} and ttl at most ${MAX_TTL}`,
  );
}

/** @param usual what holds where the rule says nothing */
function parseHistoryRule(text: string, usual: HistoryLimit): HistoryLimit | undefined {
  const given = new Map(text.split(/ +/).map((part) => splitAt(part, '=')));
  const { length } = text.split(/ +/);
  const [size, ttl] = [given.get('size'), given.get('ttl')];
  const known = Number(size !== undefined) + Number(ttl !== undefined);
  if (known !== length || !isUpTo(size, MAX_SIZE) || !isUpTo(ttl, MAX_TTL)) return undefined;
  return {
    size: size === undefined ? usual.size : Number(size),
    ttlMs: ttl === undefined ? usual.ttlMs : Number(ttl) * 1000,
  };
}

function splitAt(text: string, separator: string): [name: string, value: string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** Whether the number is left out, or is a whole number from 1 to `most`. */
function isUpTo(text: string | undefined, most: number): boolean {
  return text === undefined || (/^[1-9]\d{0,8}$/.test(text) && Number(text) <= most);
}
