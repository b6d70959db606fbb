import { ProtocolError } from '@leque/protocol';
import { anonymous, type Identity } from '../access/grants.ts';
import { isHostAllowed, isOriginAllowed } from '../access/origin-policy.ts';
import { inert } from '../lib/inert.ts';
import type { Endpoint } from './endpoint.ts';
import type { TransportContext, TransportLimits } from './transport.ts';

/** An origin has a host name of up to 253 characters, but those of applications are short. */
const MAX_ORIGIN = 100;

/** The part of a request to connect on which its authorisation depends. */
export interface ConnectRequest {
  /** Set by browsers only. */
  readonly origin: string | undefined;
  /** The host names under which the client asks, with their ports. */
  readonly names: readonly string[];
  readonly token: string | undefined;
}

/**
 * Decides who a client is, before anything is set up for it. A token that is presented is verified
 * even where none is required.
 * @throws ProtocolError whose status refuses the request
 */
export async function authorize(
  request: ConnectRequest,
  context: Pick<TransportContext, 'origins' | 'verifier' | 'authRequired'>,
): Promise<Identity> {
  assertOriginAllowed(request, context);
  if (request.token !== undefined) return context.verifier.verify(request.token);
  if (!context.authRequired) return anonymous();
  throw new ProtocolError(
    'token_missing',
    'a token is required: Authorization: Bearer, or ?token=',
  );
}

/** @throws ProtocolError `origin_forbidden` for a host name under which nobody may ask */
export function assertHostAllowed(
  { names }: Pick<ConnectRequest, 'names'>,
  { origins }: Pick<TransportContext, 'origins'>,
): void {
  if (isHostAllowed(origins, names)) return;
  throw new ProtocolError(
    'origin_forbidden',
    `this server is not asked under the name ${shown(names)}; ALLOWED_HOSTS lists its names`,
  );
}

/** @throws ProtocolError `origin_forbidden` for a page that may not connect, or a foreign name */
export function assertOriginAllowed(
  { origin, names }: Pick<ConnectRequest, 'origin' | 'names'>,
  { origins }: Pick<TransportContext, 'origins'>,
): void {
  assertHostAllowed({ names }, { origins });
  if (isOriginAllowed(origins, origin, names)) return;
  throw new ProtocolError(
    'origin_forbidden',
    `origin ${inert(String(origin), MAX_ORIGIN)} is not allowed: CORS_ORIGIN does not list it, and ` +
      `the page has not the host of this request, ${shown(names)}`,
  );
}

function shown(names: readonly string[]): string {
  return names.length === 0 ? '(no Host)' : inert(names.join(', '), MAX_ORIGIN);
}

/**
 * Checks that a token covers all channels which the endpoint gives without asking, and that they
 * fit into one session.
 * @throws ProtocolError `forbidden`, `too_many_subscriptions`
 */
export function assertGrantsSuffice(
  identity: Identity,
  endpoint: Endpoint,
  context: Pick<TransportContext, 'limits'>,
): void {
  const channels = endpoint.channels(identity);
  const forbidden = channels.find((channel) => !identity.grants.covers(channel));
  if (forbidden !== undefined) {
    throw new ProtocolError('forbidden', `this token does not allow ${forbidden}`);
  }
  assertChannelsFit(channels, context);
}

/** @throws ProtocolError `too_many_subscriptions` for more channels than a session may have */
export function assertChannelsFit(
  { length }: readonly string[],
  { limits: { maxSubscriptions } }: { readonly limits: Pick<TransportLimits, 'maxSubscriptions'> },
): void {
  if (length <= maxSubscriptions) return;
  const detail = `this token leads to ${length} channels, a session has at most ${maxSubscriptions}`;
  throw new ProtocolError('too_many_subscriptions', detail);
}
