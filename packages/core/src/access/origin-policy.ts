import { Type } from 'typebox';

/** Configuration of each app that accepts requests from web pages. */
export const OriginSettings = Type.Object({
  CORS_ORIGIN: Type.Optional(
    Type.String({
      description:
        'comma-separated origins of other pages that may connect; `*` allows any, also pages ' +
        'opened from a file. With `AUTH_MODE=open` pages on loopback hosts may always connect',
    }),
  ),
});

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Whether a host name, without its port, can only mean this machine. */
export function isLoopbackHost(hostname: string): boolean {
  return LOOPBACK_HOST.test(hostname);
}

/** Decides which pages may connect, for every transport and for plain HTTP. */
export interface OriginPolicy {
  /** Origins as browsers send them, such as `https://example.org`; `*` allows any. */
  readonly allowed: readonly string[];
  /** Whether pages on loopback hosts may connect from any port, for development. */
  readonly loopback: boolean;
}

/** Requests without an origin do not come from a page, so they are allowed: their token decides. */
export function isOriginAllowed(
  policy: OriginPolicy,
  origin: string | undefined,
  host: string | undefined,
): boolean {
  if (origin === undefined) return true;
  if (policy.allowed.includes('*') || policy.allowed.includes(origin)) return true;
  const url = URL.parse(origin);
  if (url === null) return false;
  return url.host === host || (policy.loopback && isLoopbackHost(url.hostname));
}
