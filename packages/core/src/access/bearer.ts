const BEARER = /^bearer +([^\s]+) *$/i;

/**
 * The token in an `Authorization` header. Undefined when there is none, or credentials of another
 * scheme: those are for somebody else, a proxy for one, and prove nothing here.
 */
export function bearerToken(authorization: string | undefined): string | undefined {
  return BEARER.exec(authorization ?? '')?.[1];
}
