import { tryParsePageOrigin } from './page-origin.ts';

/** The entries of `CORS_ORIGIN`. */
export interface OriginList {
  /** `*`, origins as browsers write them, and `SCHEME://*.HOST` for all subdomains of a host. */
  readonly entries: readonly string[];
  /** One sentence for each entry that would match no page, which says what to write. */
  readonly problems: readonly string[];
}

const SUBDOMAINS = /^([a-z][a-z0-9+.-]*:\/\/)\*\.([^*]+)$/i;
const ANY_LABEL = 'label.';

/** Reads a comma-separated list of origins. */
export function parseOriginList(text = ''): OriginList {
  const given = text.split(',').map((entry) => entry.trim());
  const read = given.filter((entry) => entry !== '').map(readEntry);
  return {
    entries: read.flatMap(({ entry }) => entry ?? []),
    problems: read.flatMap(({ problem }) => problem ?? []),
  };
}

interface ReadEntry {
  readonly entry?: string;
  readonly problem?: string;
}

function readEntry(text: string): ReadEntry {
  if (text === '*') return { entry: text };
  const entry = tryParseEntry(text);
  const isForSocket = entry !== undefined && /^wss?:/.test(entry);
  return entry === undefined || isForSocket ? { problem: problemOf(text) } : { entry };
}

function tryParseEntry(text: string): string | undefined {
  const [, scheme, host] = SUBDOMAINS.exec(text) ?? [];
  if (scheme === undefined || host === undefined) return tryParsePageOrigin(text);
  const origin = tryParsePageOrigin(`${scheme}${ANY_LABEL}${host}`);
  return host.includes('.') ? origin?.replace(ANY_LABEL, '*.') : undefined;
}

const EXAMPLE = 'https://app.example.org';
/** The kinds of wrong entries; the first that matches names the problem, the last matches all. */
const PROBLEMS: readonly [kind: RegExp, what: string, instead: (text: string) => string][] = [
  [/["'`]/, 'has quotes', (text) => text.replace(/["'`]/g, '')],
  [/[;\s]/, 'is not separated by commas', (text) => text.split(/[;\s]+/).join(',')],
  [/^wss?:/i, 'is not the origin of a page', (text) => originOf(text.replace(/^ws/i, 'http'))],
  [
    /^(?!.*:\/\/)/,
    'has no scheme',
    (text) => originOf(`${schemeFor(text)}${text.replace(/^\/+/, '')}`),
  ],
  [/\*/, 'may have * only in place of all subdomains', () => 'https://*.example.org'],
  [/./, 'is more than an origin', originOf],
];

function problemOf(text: string): string {
  const [, what, instead] = PROBLEMS.find(([kind]) => kind.test(text)) ?? [];
  return `${text} ${what}; write ${instead?.(text) ?? EXAMPLE}`;
}

/** The origin that was probably meant; an example when there is none in the text. */
function originOf(text: string): string {
  const [bare = ''] = /^[a-z][a-z0-9+.-]*:\/\/[^/?#\\]+/i.exec(text) ?? [];
  return tryParseEntry(bare.replace(/\/\/[^/]*@/, '//')) ?? EXAMPLE;
}

function schemeFor(text: string): string {
  return /^\/*(localhost|127\.|\[)/i.test(text) ? 'http://' : 'https://';
}

/** Whether the list has the origin of a page, in the form of `tryParsePageOrigin`. */
export function listsOrigin(entries: readonly string[], origin: string): boolean {
  return entries.some((entry) => entry === origin || coversSubdomain(entry, origin));
}

function coversSubdomain(entry: string, origin: string): boolean {
  const [scheme, host] = entry.split('*');
  if (scheme === undefined || host === undefined || entry === '*') return false;
  const isLonger = origin.length > scheme.length + host.length;
  return isLonger && origin.startsWith(scheme) && origin.endsWith(host);
}
