import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Position, toCursor, userChannel } from '@leque/protocol';
import { formatStand, MAX_STANDS, type Offset, parseOffset, parseStands } from '../wire/offset.ts';

/** Signed with a key of its own, though it comes from a secret that has other uses. */
const PURPOSE = 'leque socket.io recovery';
const KEY_BYTES = 32;
const MAC_BYTES = 16;
const ID_BYTES = 6;
const NOTHING: Pick<Offset, 'stands' | 'halves'> = { stands: new Map(), halves: new Set() };

/** What a `pid` says, and how much of it still holds. */
export interface LostState {
  readonly pid: string;
  readonly id: string;
  /** The socket's id. */
  readonly sid: string;
  /** Where its channels stood when the `pid` was made. */
  readonly base: ReadonlyMap<string, Position | undefined>;
  /** Where its client stands; undefined for a channel that it has left. */
  readonly stands: ReadonlyMap<string, Position | undefined>;
  /** Publications of which the client saw the first event of two; it stands before them. */
  readonly halves: ReadonlyMap<string, Position>;
}

/**
 * Makes and reads what Socket.IO calls a `pid`, the private id of a client's state. Ours is the
 * state itself, signed, so that every node that has the secret can go on with it.
 */
export class RecoveryIds {
  readonly #key: Uint8Array;

  /** @param secret the same on all nodes */
  constructor(secret: string | Uint8Array) {
    this.#key = new Uint8Array(hkdfSync('sha256', secret, '', PURPOSE, KEY_BYTES));
  }

  /**
   * @param base where the channels of the session stand, its user's own first
   * @returns undefined for more channels than an offset may name
   */
  issue(
    sid: string,
    base: ReadonlyMap<string, Position>,
  ): { readonly pid: string; readonly id: string } | undefined {
    if (base.size > MAX_STANDS) return undefined;
    const id = randomBytes(ID_BYTES).toString('base64url');
    const stands = [...base].map(([channel, at]) => formatStand(channel, toCursor(at)));
    const signed = [id, sid, ...stands].join(';');
    return { id, pid: `${signed};${this.#mac(signed)}` };
  }

  /**
   * What a client says of its lost state in its `auth`; undefined when it says nothing that can be
   * trusted, or that is of use to this user.
   */
  read(auth: Readonly<Record<string, unknown>>, userId: string): LostState | undefined {
    const { pid, offset = '' } = auth;
    if (typeof pid !== 'string' || typeof offset !== 'string') return undefined;
    const [id = '', sid = '', ...parts] = this.#open(pid);
    const base = parseStands(parts);
    const told = parseOffset(offset);
    if (base?.get(userChannel(userId)) === undefined || told === undefined) return undefined;
    // A client that has got nothing since its last `pid` still presents the offset of the one before.
    const isStale = told.id !== undefined && told.id !== id;
    const { stands: moved, halves } = isStale ? NOTHING : told;
    const stands = new Map([...base, ...moved]);
    const seen = new Map<string, Position>();
    for (const channel of halves) {
      const position = stands.get(channel);
      if (position === undefined || position.offset === 0) continue;
      seen.set(channel, position);
      stands.set(channel, { ...position, offset: position.offset - 1 });
    }
    return { pid, id, sid, base, stands, halves: seen };
  }

  /** The parts that were signed; none when somebody else made it. */
  #open(pid: string): string[] {
    const end = pid.lastIndexOf(';');
    const signed = pid.slice(0, Math.max(end, 0));
    const given = Buffer.from(pid.slice(end + 1));
    const right = Buffer.from(this.#mac(signed));
    if (given.length !== right.length || !timingSafeEqual(given, right)) return [];
    return signed.split(';');
  }

  #mac(text: string): string {
    const mac = createHmac('sha256', this.#key).update(text).digest();
    return mac.toString('base64url', 0, MAC_BYTES);
  }
}
