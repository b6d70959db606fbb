export { createJwtVerifier, type VerifierSettings } from './jwt-verifier.ts';
export { AuthSettings, authRule } from './settings.ts';
export { signToken, type TokenRequest } from './sign-token.ts';
