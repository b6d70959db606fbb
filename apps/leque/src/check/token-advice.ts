const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Settings for tokens that start a process, but let in more than is probably meant. */
export function adviseOnTokens(env: Readonly<Record<string, string | undefined>>): string[] {
  const { JWKS_URL: url, JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = env;
  if (!url || !URL.canParse(url)) return [];
  const { protocol, hostname } = new URL(url);
  return [
    ...(issuer || audience
      ? []
      : [
          'JWKS_URL is set with neither JWT_ISSUER nor JWT_AUDIENCE: every token of that identity ' +
            'provider is accepted, also those for other applications',
        ]),
    ...(protocol === 'http:' && !LOOPBACK.test(hostname)
      ? [
          'JWKS_URL is not https: whoever can change the answer on its way can sign tokens; ' +
            'use https, or a network that only the key server can write to',
        ]
      : []),
  ];
}
