import { type ErrorCode, ProtocolError } from '@leque/protocol';
import { decodeProtectedHeader, errors } from 'jose';

const MAX_QUOTED = 32;
const MAX_QUOTED_VALUE = 256;

type RefusalKind = 'malformed' | 'expired' | 'algorithm' | 'claim' | 'signature' | 'failed';

/** How refusals of one kind of JWT are worded. */
export interface RefusalWords {
  readonly noun: 'token' | 'grant';
  /** Precedes sentences that would not say what was refused. */
  readonly prefix: '' | 'grant: ';
  readonly codes: Readonly<Record<RefusalKind, ErrorCode>>;
}

export const TOKEN_WORDS: RefusalWords = {
  noun: 'token',
  prefix: '',
  codes: {
    malformed: 'token_malformed',
    expired: 'token_expired',
    algorithm: 'token_algorithm_not_allowed',
    claim: 'token_claim_invalid',
    signature: 'token_signature_invalid',
    failed: 'internal',
  },
};

/** Few codes, because a client does one of two things: fetch a newer grant, or give the room up. */
export const GRANT_WORDS: RefusalWords = {
  noun: 'grant',
  prefix: 'grant: ',
  codes: {
    malformed: 'grant_invalid',
    expired: 'grant_expired',
    algorithm: 'grant_invalid',
    claim: 'grant_invalid',
    signature: 'grant_invalid',
    failed: 'internal',
  },
};

interface Refused {
  readonly jwt: string;
  /** The algorithms that are allowed. */
  readonly algorithms: readonly string[];
}

/** Turns the reason why a JWT was refused into the error for its client. */
export function refusalOf(error: unknown, refused: Refused, words: RefusalWords): ProtocolError {
  if (error instanceof ProtocolError) return error;
  const { noun, prefix, codes } = words;
  const [kind, detail] = reasonOf(error, refused, noun);
  const isSentence = kind === 'expired' || kind === 'failed';
  return new ProtocolError(codes[kind], isSentence ? detail : prefix + detail, { cause: error });
}

export function claimInvalid(words: RefusalWords, claim: string, what: string): ProtocolError {
  return new ProtocolError(words.codes.claim, `${words.prefix}claim ${claim} ${what}`);
}

export function tooLong({ noun, codes }: RefusalWords, max: number): ProtocolError {
  return new ProtocolError(codes.malformed, `${noun} is longer than ${max} characters`);
}

function reasonOf(
  error: unknown,
  { jwt, algorithms }: Refused,
  noun: string,
): [RefusalKind, string] {
  if (error instanceof errors.JOSEAlgNotAllowed) {
    const allowed = algorithms.join(', ');
    return ['algorithm', `algorithm ${algorithmOf(jwt)} is not allowed; allowed: ${allowed}`];
  }
  if (error instanceof errors.JWTExpired) return ['expired', `${noun} has expired`];
  if (error instanceof errors.JWTClaimValidationFailed) {
    return ['claim', `claim ${error.claim} ${claimProblem(error, noun)}`];
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return ['signature', 'signature does not match'];
  }
  if (error instanceof errors.JWKSNoMatchingKey) {
    return ['signature', 'signed with an unknown key'];
  }
  if (error instanceof errors.JOSEError) return ['malformed', 'not a JSON Web Token'];
  return ['failed', `the ${noun} could not be verified`];
}

/** The algorithm that a JWT names, shortened and quoted, because it is foreign input. */
function algorithmOf(jwt: string): string {
  return JSON.stringify(String(decodeProtectedHeader(jwt).alg).slice(0, MAX_QUOTED));
}

function claimProblem(error: errors.JWTClaimValidationFailed, noun: string): string {
  const { claim, reason, payload } = error;
  if (reason === 'missing') return 'is required';
  if (claim === 'nbf' && reason === 'check_failed') {
    return `says that the ${noun} is not valid yet`;
  }
  if (reason === 'invalid') return 'has the wrong type';
  const value = JSON.stringify(payload[claim] ?? null).slice(0, MAX_QUOTED_VALUE);
  return `has another value than this server expects: ${value}`;
}
