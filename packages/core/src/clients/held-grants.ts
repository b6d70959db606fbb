import { type ErrorCode, ProtocolError, projectChannel } from '@leque/protocol';
import { RoomRights } from '../access/grants.ts';
import type { Session } from '../fan-out/session.ts';
import type { Cancel } from '../lib/clock.ts';
import { errorForClient } from './refusals.ts';
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

/** The answer to a grant that is not taken. */
export interface RefusedGrant {
  /** The place of the grant in the command's list, from 0. */
  readonly grant: number;
  readonly code: ErrorCode;
  readonly message: string;
}

/** The grants that one session holds, until each expires. It has one timer at most (LIVE). */
export class HeldGrants {
  readonly #client: GrantHolder;
  #cancelExpiry: Cancel | undefined;

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
   * Lets the session hold grants, one after the other, so that it takes one place in the line of those to
   * verify. One that is refused does not keep it from the others.
   */
  async holdAll(tokens: readonly string[] = []): Promise<readonly RefusedGrant[]> {
    const refused: RefusedGrant[] = [];
    for (const [grant, token] of tokens.entries()) {
      try {
        await this.hold(token);
      } catch (error) {
        const { code, message } = errorForClient(error, 'grant', this.#client.context.telemetry);
        refused.push({ grant, code, message });
      }
    }
    return refused;
  }

  /** Stops the timer. */
  end(): void {
    this.#cancelExpiry?.();
    this.#cancelExpiry = undefined;
  }

  #awaitExpiry(): void {
    this.end();
    const { session, context } = this.#client;
    const next = session.rooms?.nextEnd;
    if (next === undefined) return;
    const delayMs = Math.min(Math.max(1, next - context.clock.now()), LONGEST_DELAY_MS);
    this.#cancelExpiry = context.clock.after(delayMs, () => this.#expire());
  }

  #expire(): void {
    const { session, context } = this.#client;
    session.rooms?.expire(context.clock.now());
    this.#client.grantsExpired();
    this.#awaitExpiry();
  }
}
