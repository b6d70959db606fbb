const FORM = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|[+-](\d\d):(\d\d))$/;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const FEBRUARY = 2;

/**
 * Whether a text is a date and time as in RFC 3339, from year 0001 on and without leap seconds,
 * because many languages cannot read those. event-checks.lua gives the same verdicts.
 */
export function isTimestamp(text: string): boolean {
  const match = FORM.exec(text);
  if (match === null) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ...zone] = match
    .slice(1)
    .map((digits) => Number(digits ?? 0));
  const [zoneHour = 0, zoneMinute = 0] = zone;
  const isTime = hour <= 23 && minute <= 59 && second <= 59;
  const isZone = zoneHour <= 23 && zoneMinute <= 59;
  return isTime && isZone && year >= 1 && day >= 1 && day <= daysIn(year, month);
}

function daysIn(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === FEBRUARY && isLeap ? 29 : (DAYS[month - 1] ?? 0);
}
