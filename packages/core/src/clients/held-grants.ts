import { type ErrorCode, ProtocolError, projectChannel } from '@leque/protocol';
import { RoomRights } from '../access/grants.ts';
import type { Session } from '../fan-out/session.ts';
import type { Cancel } from '../lib/clock.ts';
import { outcomesOf, type ResumeResults } from './resume-results.ts';
import type { TransportContext } from './transport.ts';

/** The longest delay that timers take. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** The client that holds the grants: a `ClientSession`. */
interface GrantHolder {
  readonly session: Session;
  readonly context: Pick<TransportContext, 'clock' | 'grants' | 'limits' | 'telemetry'>;
  /** Called when grants have expired. */
  grantsExpired(): void;
}

/** Why a grant is not taken. */
interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/** The grants of a command that are not taken, by their text. */
export type RefusedGrants = ReadonlyMap<string, Refusal>;

const NONE_REFUSED: RefusedGrants = new Map();

/** The grants that one session holds, until each expires. It has one timer at most (LIVE). */
export class HeldGrants {
  readonly #client: GrantHolder;
  #cancelExpiry: Cancel | undefined;
  /** The end for which the timer is set; infinite without a timer. */
  #awaited = Number.POSITIVE_INFINITY;

  constructor(client: GrantHolder) {
    this.#client = client;
  }

  /**
   * Lets the session hold a grant. A channel that is subscribed by an earlier grant goes on with it.
   * @throws ProtocolError when it is wrong, for another user, or one too many
   */
  async hold(token: string): Promise<void> {
    const { session, context } = this.#client;
    if (context.grants === undefined) {
      throw new ProtocolError('forbidden', 'this server takes no grants');
    }
    const grant = await context.grants.verify(token);
    if (!session.open) return;
    session.rooms ??= new RoomRights(session.identity.userId, context.limits.maxSubscriptions);
    session.rooms.add(grant, (id) => session.subscriptions.has(projectChannel(id)));
    this.#awaitExpiry();
  }

  /**
   * Holds channels back for which the command that runs presents cursors: they are bound from its arrival
   * on, also while its grants are verified (RE3).
   */
  bind(channels: Iterable<string>): void {
    for (const channel of channels) this.#client.session.subscriptions.get(channel)?.hold();
  }

  /**
   * Lets the session hold the grants of a command, one after the other, so that a client with many has one
   * place in the line of those to be verified. One that is refused does not keep it from the others.
   * @throws ProtocolError when a grant cannot be verified now: nobody may conclude that it is wrong
   */
  async holdAll(tokens: readonly string[]): Promise<RefusedGrants> {
    if (tokens.length === 0) return NONE_REFUSED;
    const refused = new Map<string, Refusal>();
    for (const token of tokens) {
      const error = await this.hold(token).catch((thrown: unknown) => thrown);
      if (error === undefined) continue;
      if (!(error instanceof ProtocolError) || error.status >= 500) throw error;
      refused.set(token, { code: error.code, message: error.message });
    }
    return refused;
  }

  /** Stops the timer. */
  end(): void {
    this.#cancelExpiry?.();
    this.#cancelExpiry = undefined;
    this.#awaited = Number.POSITIVE_INFINITY;
  }

  #awaitExpiry(): void {
    const { session, context } = this.#client;
    const next = session.rooms?.nextEnd;
    if (next === undefined || next >= this.#awaited) return;
    this.end();
    this.#awaited = next;
    const delayMs = Math.min(Math.max(1, next - context.clock.now()), LONGEST_DELAY_MS);
    this.#cancelExpiry = context.clock.after(delayMs, () => this.#expire());
  }

  #expire(): void {
    const { session, context } = this.#client;
    this.#awaited = Number.POSITIVE_INFINITY;
    session.rooms?.expire(context.clock.now());
    this.#client.grantsExpired();
    this.#awaitExpiry();
  }
}

/** The refused grants of a list, as an answer has them: by their places in it, from 0. */
export function refusedFields(tokens: readonly string[], refused: RefusedGrants): object {
  if (refused.size === 0) return {};
  const refused_grants = tokens.flatMap((token, grant) => {
    const refusal = refused.get(token);
    return refusal === undefined ? [] : [{ grant, ...refusal }];
  });
  return { refused_grants };
}

/** The outcomes of channels. A channel that is refused for want of a right names the grant that is wrong. */
export function outcomesByGrants(
  results: ResumeResults,
  grantOf: (channel: string) => string | undefined,
  refused: RefusedGrants,
): object {
  if (refused.size === 0) return outcomesOf(results);
  const named = results.map(([channel, { outcome }]) => {
    const refusal = refused.get(grantOf(channel) ?? '');
    const isForbidden = (outcome as { code?: ErrorCode }).code === 'forbidden';
    return [channel, isForbidden ? { ...outcome, ...refusal } : outcome];
  });
  return Object.fromEntries(named);
}
