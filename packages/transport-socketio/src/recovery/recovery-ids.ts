import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Position, toCursor, userChannel } from '@leque/protocol';
import {
  formatPosition,
  isTooMuch,
  type Offset,
  parseOffset,
  parsePositions,
} from '../wire/offset.ts';

/** The purpose of the key, which is derived from a secret that has other uses. */
const PURPOSE = 'leque socket.io recovery';
const KEY_BYTES = 32;
const MAC_BYTES = 16;
const ID_BYTES = 6;
const NOTHING: Pick<Offset, 'positions' | 'partial'> = { positions: new Map(), partial: new Set() };

/** The state that a client presents when it comes back. */
export interface CarriedState {
  readonly pid: string;
  readonly id: string;
  /** The socket's id. */
  readonly sid: string;
  /** The positions of its channels when the `pid` was made. */
  readonly base: ReadonlyMap<string, Position | undefined>;
  /** The positions that its client has reached; undefined for a channel that it has left. */
  readonly positions: ReadonlyMap<string, Position | undefined>;
  /** The channels without a position that it has not left itself: its right to them had ended. */
  readonly ended: ReadonlySet<string>;
  /** Publications of which the client saw the first event of two; its positions are before them. */
  readonly partial: ReadonlyMap<string, Position>;
}

/**
 * Makes and reads `pid`s: private ids of clients' states, as Socket.IO calls them. Leque's `pid` is
 * the state itself, signed, so that every node that has the secret can continue with it.
 */
export class RecoveryIds {
  readonly #keys: readonly [Uint8Array, ...Uint8Array[]];

  /**
   * @param secret signs; the same on all nodes
   * @param others are accepted as well, so that clients recover while secrets are rotated
   */
  constructor(secret: string | Uint8Array, ...others: readonly string[]) {
    this.#keys = [keyOf(secret), ...others.map(keyOf)];
  }

  /**
   * @param base the positions of the session's channels, with the user's own first
   * @returns undefined for more channels, or longer names, than an offset may have
   */
  issue(
    sid: string,
    base: ReadonlyMap<string, Position>,
  ): { readonly pid: string; readonly id: string } | undefined {
    const positions = [...base].map(([channel, at]) => formatPosition(channel, toCursor(at)));
    if (isTooMuch(positions)) return undefined;
    const id = randomBytes(ID_BYTES).toString('base64url');
    const signed = [id, sid, ...positions].join(';');
    return { id, pid: `${signed};${macOf(signed, this.#keys[0])}` };
  }

  /**
   * Reads the lost state from a client's `auth`; undefined when there is none, when it cannot be
   * trusted, or when it belongs to another user.
   */
  read(auth: Readonly<Record<string, unknown>>, userId: string): CarriedState | undefined {
    const { pid, offset = '' } = auth;
    if (typeof pid !== 'string' || typeof offset !== 'string') return undefined;
    const [id = '', sid = '', ...parts] = this.#open(pid);
    const base = parsePositions(parts);
    const seen = parseOffset(offset);
    if (base?.get(userChannel(userId)) === undefined || seen === undefined) return undefined;
    // A client that has received nothing since its last `pid` presents the offset of an earlier one.
    const isStale = seen.id !== undefined && seen.id !== id;
    const { positions: moved, partial } = isStale ? NOTHING : seen;
    const positions = new Map([...base, ...moved]);
    const halfSeen = new Map<string, Position>();
    const ended = new Set([...partial].filter((channel) => positions.get(channel) === undefined));
    for (const channel of partial) {
      const position = positions.get(channel);
      if (position === undefined || position.offset === 0) continue;
      halfSeen.set(channel, position);
      positions.set(channel, { ...position, offset: position.offset - 1 });
    }
    return { pid, id, sid, base, positions, ended, partial: halfSeen };
  }

  /** The signed parts; none when the signature is of none of the keys. */
  #open(pid: string): string[] {
    const end = pid.lastIndexOf(';');
    const signed = pid.slice(0, Math.max(end, 0));
    const given = Buffer.from(pid.slice(end + 1));
    const isSigned = this.#keys.some((key) => isEqual(given, Buffer.from(macOf(signed, key))));
    return isSigned ? signed.split(';') : [];
  }
}

function keyOf(secret: string | Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', PURPOSE, KEY_BYTES));
}

function macOf(text: string, key: Uint8Array): string {
  const mac = createHmac('sha256', key).update(text).digest();
  return mac.toString('base64url', 0, MAC_BYTES);
}

function isEqual(given: Buffer, right: Buffer): boolean {
  return given.length === right.length && timingSafeEqual(given, right);
}
