import { InvalidArgumentError } from 'commander';

const DECIMAL = /^\d+(\.\d+)?$/;

/** @throws InvalidArgumentError unless the text is a decimal number above 0 */
export function parsePositive(text: string): number {
  const value = tryParsePositive(text);
  if (value !== undefined) return value;
  throw new InvalidArgumentError('It is not a number above 0.');
}

/** Undefined unless the text is a decimal number above 0. */
export function tryParsePositive(text: string): number | undefined {
  const value = DECIMAL.test(text) ? Number(text) : 0;
  return value > 0 && Number.isFinite(value) ? value : undefined;
}

/** @throws InvalidArgumentError unless the text is a whole number above 0 */
export function parseCount(text: string): number {
  const value = parsePositive(text);
  if (Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('It is not a whole number above 0.');
}

/**
 * @returns the URL without a slash at its end; a path is kept, for a Leque behind one
 * @throws InvalidArgumentError unless it is an http or https URL of a server
 */
export function parseBaseUrl(text: string): string {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) {
    throw new InvalidArgumentError('It is not a URL such as http://localhost:9001.');
  }
  const { username, password, search, hash, origin, pathname } = new URL(text);
  if (username !== '' || password !== '') {
    throw new InvalidArgumentError('Credentials belong into --token or --api-key.');
  }
  if (search !== '' || hash !== '') {
    throw new InvalidArgumentError('It must end with the host, the port or a path.');
  }
  return `${origin}${pathname}`.replace(/\/+$/, '');
}

/** @throws InvalidArgumentError for a list of no ids */
export function parseIds(text: string): readonly string[] {
  const ids = splitIds(text);
  if (ids.length > 0) return ids;
  throw new InvalidArgumentError('It names nothing.');
}

/** The entries of a comma-separated list, or of a JSON list for entries with commas. */
export function splitIds(list: string): readonly string[] {
  const text = list.trim();
  const json = text.startsWith('[') ? tryParseJson(text) : undefined;
  if (Array.isArray(json)) return json.map(String);
  return text.startsWith('[') ? [text] : text.split(',').filter((entry) => entry !== '');
}

/** @throws InvalidArgumentError unless the text is a JSON object */
export function parseJsonObject(text: string): Readonly<Record<string, unknown>> {
  const value = tryParseJson(text);
  if (isObject(value)) return value;
  throw new InvalidArgumentError('It is not a JSON object.');
}

/** Undefined unless the text is a JSON object. */
export function tryParseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  const value = tryParseJson(text);
  return isObject(value) ? value : undefined;
}

function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
