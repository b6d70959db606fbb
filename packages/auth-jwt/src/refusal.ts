import { ProtocolError } from '@leque/protocol';
import { decodeProtectedHeader, errors } from 'jose';
import { claimInvalid } from './claims.ts';

const MAX_QUOTED = 32;
const MAX_QUOTED_VALUE = 256;

/** Turns the reason why a token was refused into the error for its client. */
export function refusalOf(
  error: unknown,
  token: string,
  allowed: readonly string[],
): ProtocolError {
  if (error instanceof ProtocolError) return error;
  const options = { cause: error };
  if (error instanceof errors.JOSEAlgNotAllowed) {
    const message = `algorithm ${algorithmOf(token)} is not allowed; allowed: ${allowed.join(', ')}`;
    return new ProtocolError('token_algorithm_not_allowed', message, options);
  }
  if (error instanceof errors.JWTExpired) {
    return new ProtocolError('token_expired', 'token has expired', options);
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return claimInvalid(error.claim, claimProblem(error), options);
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return new ProtocolError('token_signature_invalid', 'signature does not match', options);
  }
  if (error instanceof errors.JWKSNoMatchingKey) {
    return new ProtocolError('token_signature_invalid', 'signed with an unknown key', options);
  }
  if (error instanceof errors.JOSEError) {
    return new ProtocolError('token_malformed', 'not a JSON Web Token', options);
  }
  return new ProtocolError('internal', 'the token could not be verified', options);
}

/** The algorithm that the token names, shortened and quoted, because it is foreign input. */
function algorithmOf(token: string): string {
  return JSON.stringify(String(decodeProtectedHeader(token).alg).slice(0, MAX_QUOTED));
}

function claimProblem({ claim, reason, payload }: errors.JWTClaimValidationFailed): string {
  if (reason === 'missing') return 'is required';
  if (claim === 'nbf' && reason === 'check_failed') return 'says that the token is not valid yet';
  if (reason === 'invalid') return 'has the wrong type';
  const value = JSON.stringify(payload[claim] ?? null).slice(0, MAX_QUOTED_VALUE);
  return `has another value than this server expects: ${value}`;
}
