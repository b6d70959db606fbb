import { ProtocolError, tryParseChannel } from '@leque/protocol';
import type { RoomGrant } from './room-grants.ts';

export const SCOPES = ['publish', 'publish:all', 'grant', 'stats', 'logs', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];
export const ALL_PROJECTS = '*';
const NONE: readonly never[] = [];

/** The identity of a session or a publisher, and its rights. */
export interface Identity {
  /** Undefined for an anonymous session in open mode. */
  readonly userId: string | undefined;
  readonly grants: Grants;
  /** Milliseconds since the Unix epoch; undefined for an identity that never expires. */
  readonly expiresAt: number | undefined;
}

/** The rights that a token gives. */
export class Grants {
  readonly #userId: string | undefined;
  // Arrays, because they are short and each session has its own.
  readonly #projects: readonly string[];
  readonly #scopes: readonly Scope[];
  readonly #allProjects: boolean;

  constructor(init: {
    userId: string | undefined;
    projects: readonly string[];
    scopes: readonly Scope[];
  }) {
    this.#userId = init.userId;
    this.#allProjects = init.projects.includes(ALL_PROJECTS);
    this.#projects = this.#allProjects ? NONE : [...new Set(init.projects)];
    this.#scopes = init.scopes.length === 0 ? NONE : [...init.scopes];
  }

  get allProjects(): boolean {
    return this.#allProjects;
  }

  /** The projects that the token names; empty for a token for all projects. */
  get projects(): readonly string[] {
    return this.#projects;
  }

  coversProject(projectId: string): boolean {
    return this.#allProjects || this.#projects.includes(projectId);
  }

  /** Decides who may receive from a channel by its token (ISO); see `mayHear` for sessions. */
  covers(channel: string): boolean {
    const parsed = tryParseChannel(channel);
    switch (parsed?.kind) {
      case 'all':
        return true;
      case 'logs':
        return this.has('logs');
      case 'firehose':
        return this.allProjects;
      case 'project':
        return this.coversProject(parsed.id);
      case 'user':
        return parsed.id === this.#userId;
      case undefined:
        return false;
    }
  }

  /**
   * Decides who may publish to a channel (ISO): the scope `publish` is for the token's own user and
   * projects, `publish:all` for every channel. `all` reaches everybody, so it takes `publish:all`.
   */
  mayPublish(channel: string): boolean {
    if (this.has('publish:all')) return true;
    const kind = tryParseChannel(channel)?.kind;
    return this.has('publish') && (kind === 'project' || kind === 'user') && this.covers(channel);
  }

  has(scope: Scope): boolean {
    const scopes = this.#scopes;
    return (
      scopes.includes(scope) ||
      scopes.includes('admin') ||
      (scope === 'publish' && scopes.includes('publish:all'))
    );
  }
}

/** What a session is allowed to hear comes from these two. */
export interface Rights {
  readonly identity: Identity;
  /** Undefined for a session that has never held a grant. */
  readonly rooms: RoomRights | undefined;
}

/** Decides whether a session may receive from a channel (ISO): its token, or a grant that it holds. */
export function mayHear({ identity, rooms }: Rights, channel: string): boolean {
  return identity.grants.covers(channel) || rooms?.covers(channel) === true;
}

/**
 * A session stays with its user, whatever token it is renewed with.
 * @throws ProtocolError `forbidden` for the token of another user
 */
export function assertSameUser(before: Identity, after: Identity): void {
  if (before.userId === after.userId) return;
  throw new ProtocolError('forbidden', 'a connection stays with its user; open another one');
}

/** The rooms of the grants that one session holds. A room of several grants ends with the last of them. */
export class RoomRights {
  readonly #userId: string | undefined;
  readonly #max: number;
  /** Ends by project, in milliseconds since the Unix epoch, in the order in which they were granted. */
  readonly #ends = new Map<string, number>();
  /** No room ends before it. It is exact after `expire`; a room that goes on longer does not change it. */
  #nextEnd = Number.POSITIVE_INFINITY;

  /** @param max rooms that may be held */
  constructor(userId: string | undefined, max: number) {
    this.#userId = userId;
    this.#max = max;
  }

  /** When a room may end next, in milliseconds since the Unix epoch; undefined without rooms. */
  get nextEnd(): number | undefined {
    return this.#ends.size === 0 ? undefined : this.#nextEnd;
  }

  covers(channel: string): boolean {
    const parsed = tryParseChannel(channel);
    return parsed?.kind === 'project' && this.#ends.has(parsed.id);
  }

  /**
   * Takes the rooms of a grant (ISO). Those that are not in use make room for it, the oldest first (MEM).
   * @throws ProtocolError `forbidden` for the grant of another user, `too_many_subscriptions`
   */
  add({ userId, projects, expiresAt }: RoomGrant, isInUse: (projectId: string) => boolean): void {
    if (userId !== this.#userId) throw foreignGrant(this.#userId);
    if (projects.includes(ALL_PROJECTS)) {
      throw new ProtocolError(
        'forbidden',
        'a grant names its projects; it cannot be for all of them',
      );
    }
    const wanted = new Set(projects);
    const added = [...wanted].filter((id) => !this.#ends.has(id));
    const surplus = this.#ends.size + added.length - this.#max;
    if (surplus > 0) this.#makeRoom(surplus, (id) => wanted.has(id) || isInUse(id));
    for (const id of wanted) this.#ends.set(id, Math.max(expiresAt, this.#ends.get(id) ?? 0));
    this.#nextEnd = Math.min(this.#nextEnd, expiresAt);
  }

  #makeRoom(surplus: number, isInUse: (projectId: string) => boolean): void {
    const spare = [...this.#ends.keys()].filter((id) => !isInUse(id));
    if (surplus > spare.length) {
      const problem = `a session holds grants for at most ${this.#max} projects`;
      throw new ProtocolError('too_many_subscriptions', problem);
    }
    for (const id of spare.slice(0, surplus)) this.#ends.delete(id);
  }

  /** Removes the rooms whose time is over. */
  expire(now: number): void {
    this.#nextEnd = Number.POSITIVE_INFINITY;
    for (const [id, end] of this.#ends) {
      if (end <= now) this.#ends.delete(id);
      else this.#nextEnd = Math.min(this.#nextEnd, end);
    }
  }
}

function foreignGrant(userId: string | undefined): ProtocolError {
  const problem =
    userId === undefined
      ? 'a grant is for a user, and this connection has none; connect with a token of the user'
      : 'this grant is for another user';
  return new ProtocolError('forbidden', problem);
}

/**
 * The identity of clients without a token in open mode. It receives from all channels except those
 * of users, publishes everywhere, makes grants and reads statistics, but has no power over other connections.
 */
export function anonymous(): Identity {
  return {
    userId: undefined,
    grants: new Grants({
      userId: undefined,
      projects: [ALL_PROJECTS],
      scopes: ['publish:all', 'grant', 'stats', 'logs'],
    }),
    expiresAt: undefined,
  };
}
