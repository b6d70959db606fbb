const BEARER = /^bearer +([^\s]+) *$/i;

/**
 * The token in an `Authorization` header. Undefined without a header, and for credentials of
 * another scheme, because those are meant for somebody else, such as a proxy.
 */
export function bearerToken(authorization: string | undefined): string | undefined {
  return BEARER.exec(authorization ?? '')?.[1];
}
