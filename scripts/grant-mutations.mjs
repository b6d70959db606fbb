// Mutations of the rules of grants (rule GR of PROTOCOL.md); see mutations.mjs.

/** @param proof the isolation fuzz, which presents grants of every kind in every place */
export const grantMutations = (proof) => [
  {
    name: 'the use of a grant',
    about: 'a token is a grant, too',
    patches: [
      {
        file: 'packages/auth-jwt/src/grants/grant-claims.ts',
        from: `  if (claims['use'] !== GRANT_USE) throw invalid('use', 'must be "grant"; a token is no grant');\n`,
        to: '',
      },
    ],
    proof,
  },
  {
    name: 'the use of a token',
    about: 'a grant is a token, too',
    patches: [
      {
        file: 'packages/auth-jwt/src/tokens/claims.ts',
        from: '  if (seemsGrant(claims)) throw grantAsToken();\n',
        to: '',
      },
    ],
    proof,
  },
  {
    name: 'the user of a grant',
    about: 'a session takes the grants of every user',
    patches: [
      {
        file: 'packages/core/src/access/grants.ts',
        from: '    if (userId !== this.#userId) throw foreignGrant(this.#userId);\n',
        to: '',
      },
    ],
    proof,
  },
  {
    name: 'the projects of a grant',
    about: 'a grant opens every project',
    patches: [
      {
        file: 'packages/core/src/access/grants.ts',
        from: "return parsed?.kind === 'project' && this.#ends.has(parsed.id);",
        to: "return parsed?.kind === 'project' && this.#ends.size > 0;",
      },
    ],
    proof,
  },
];
