import { Type } from 'typebox';

/** Part of the configuration of each app that pages talk to. */
export const OriginSettings = Type.Object({
  CORS_ORIGIN: Type.Optional(
    Type.String({
      description:
        'origins of other pages that may connect, with commas between them; `*` for any, also for ' +
        'one that was opened from a file. With `AUTH_MODE=open` those on loopback hosts may, too',
    }),
  ),
});

const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** A name that leads to this machine and nowhere else; without its port. */
export function isLoopbackHost(hostname: string): boolean {
  return LOOPBACK_HOST.test(hostname);
}

/** Which pages may connect. The same rule on every transport and for plain HTTP. */
export interface OriginPolicy {
  /** Origins as browsers send them, `https://example.org`; `*` for any. */
  readonly allowed: readonly string[];
  /** Open mode on a developer's machine: pages on loopback hosts may, whatever their port. */
  readonly loopback: boolean;
}

/** Requests without an origin do not come from a page; their token decides. */
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
