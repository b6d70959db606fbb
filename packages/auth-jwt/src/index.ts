export { keySetProblem } from './jwks.ts';
export { createJwtVerifier } from './jwt-verifier.ts';
export type { VerifierSettings } from './key-source.ts';
export { secretKey } from './secret-key.ts';
export { apiKeyProblems, secretProblems } from './secret-problems.ts';
export { AuthSettings, authRule } from './settings.ts';
export { type AcceptedTokens, signToken, type TokenRequest } from './sign-token.ts';
