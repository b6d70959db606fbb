const FORM = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)$/;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const FEBRUARY = 2;
const DIGIT_ZERO = 0x30;

/**
 * Whether a text is a date and time as in RFC 3339, from year 0001 on and without leap seconds,
 * because many languages cannot read those. event-checks.lua gives the same verdicts.
 */
export function isTimestamp(text: string): boolean {
  if (!FORM.test(text)) return false;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const day = twoDigits(text, 8);
  const isDay = year >= 1 && day >= 1 && day <= daysIn(year, twoDigits(text, 5));
  return isDay && isTimeOfDay(text, 11) && twoDigits(text, 17) <= 59 && isZone(text);
}

/** Reads two digits in place, because capturing groups would make six texts of each timestamp. */
function twoDigits(text: string, at: number): number {
  return 10 * (text.charCodeAt(at) - DIGIT_ZERO) + text.charCodeAt(at + 1) - DIGIT_ZERO;
}

function isTimeOfDay(text: string, at: number): boolean {
  return twoDigits(text, at) <= 23 && twoDigits(text, at + 3) <= 59;
}

function isZone(text: string): boolean {
  const isUtc = text.endsWith('Z') || text.endsWith('z');
  return isUtc || isTimeOfDay(text, text.length - 'hh:mm'.length);
}

function daysIn(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === FEBRUARY && isLeap ? 29 : (DAYS[month - 1] ?? 0);
}
