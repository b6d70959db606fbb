export { createJwtVerifier, type VerifierSettings } from './jwt-verifier.ts';
export { apiKeyProblems, secretProblems } from './secret-problems.ts';
export { AuthSettings, authRule } from './settings.ts';
export { signToken, type TokenRequest } from './sign-token.ts';
