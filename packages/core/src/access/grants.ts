import { tryParseChannel } from '@leque/protocol';

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

  /** Decides who may receive from a channel (ISO). No other place does. */
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
