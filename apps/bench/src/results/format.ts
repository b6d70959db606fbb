import { FIGURES, type FigureName } from './figures.ts';
import type { Verdict } from './results.ts';

const THOUSAND = 1000;
const MILLION = 1e6;
/** Counts from this one on are shown in millions, with two decimals. */
const SHORTEN_FROM = 995_000;

/** A figure without its unit; a dash when there is none. */
export function formatFigure(name: FigureName, value: number | undefined): string {
  if (value === undefined) return '–';
  return FIGURES[name].unit === '/s'
    ? formatCount(value)
    : formatNumber(value, FIGURES[name].digits);
}

export function formatWithUnit(name: FigureName, value: number | undefined): string {
  const text = formatFigure(name, value);
  const { unit } = FIGURES[name];
  if (value === undefined || unit === '') return text;
  return unit === '/s' ? `${text}/s` : `${text} ${unit}`;
}

/** `980`, `117,432`, `1.02 M`. */
export function formatCount(value: number): string {
  if (value >= SHORTEN_FROM) return `${(value / MILLION).toFixed(2)} M`;
  return Math.round(value).toLocaleString('en');
}

export function verdictText(verdict: Verdict, reason: string): string {
  const word = { held: 'ok', behind: 'NOT HELD', failed: 'FAILED', unavailable: 'not run' }[
    verdict
  ];
  return reason === '' ? word : `${word}: ${reason}`;
}

/** Three significant digits; large values have no decimals. */
function formatNumber(value: number, digits: number): string {
  if (value >= THOUSAND) return Math.round(value).toLocaleString('en');
  const decimals = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : digits;
  return value.toFixed(Math.min(decimals, digits));
}
