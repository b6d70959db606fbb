export { createGrantSigner } from './grants/sign-grant.ts';
export { keySetProblem } from './keys/jwks.ts';
export type { VerifierSettings } from './keys/key-source.ts';
export { secretKey } from './keys/secret-key.ts';
export { apiKeyProblems, SIGNING_SECRETS, secretProblems } from './keys/secret-problems.ts';
export { AuthSettings, authRule } from './keys/settings.ts';
export { type AcceptedTokens, signToken, type TokenRequest } from './tokens/sign-token.ts';
export { createJwtVerifier, createVerifiers } from './verifiers.ts';
