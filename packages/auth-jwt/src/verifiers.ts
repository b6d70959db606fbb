import {
  type Clock,
  type GrantVerifier,
  systemClock,
  type Telemetry,
  type TokenVerifier,
} from '@leque/core';
import { grantVerifier, refusingGrantVerifier } from './grants/grant-verifier.ts';
import { grantSourceOf } from './keys/grant-keys.ts';
import { keySourceOf, type VerifierSettings } from './keys/key-source.ts';
import { refusingVerifier, tokenVerifier } from './tokens/token-verifier.ts';

export interface Verifiers {
  readonly tokens: TokenVerifier;
  readonly grants: GrantVerifier;
}

/**
 * Verifies tokens and grants with the configured keys, which they share. Without a key each is refused.
 * @param telemetry is told when keys cannot be fetched or used
 * @throws Error when a configured key is not usable
 */
export function createVerifiers(
  settings: VerifierSettings,
  clock: Clock = systemClock,
  telemetry?: Telemetry,
): Verifiers {
  const ofTokens = keySourceOf(settings, { clock, telemetry });
  const ofGrants = grantSourceOf(settings, ofTokens);
  const common = { settings, clock };
  return {
    tokens:
      ofTokens === undefined ? refusingVerifier : tokenVerifier({ ...common, source: ofTokens }),
    grants:
      ofGrants === undefined
        ? refusingGrantVerifier
        : grantVerifier({ ...common, source: ofGrants }),
  };
}

/** Verifies tokens alone; see `createVerifiers`. */
export function createJwtVerifier(
  settings: VerifierSettings,
  clock?: Clock,
  telemetry?: Telemetry,
): TokenVerifier {
  return createVerifiers(settings, clock, telemetry).tokens;
}
