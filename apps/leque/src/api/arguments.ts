import { ConfigError } from '@leque/service';

/** @throws ConfigError that names the option */
export function positive(option: string, text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new ConfigError([`${option} "${text}" is not a number above 0`]);
}
