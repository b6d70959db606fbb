import { tryParseChannel } from '@leque/protocol';

export const SCOPES = ['publish', 'stats', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];
export const ALL_PROJECTS = '*';
const NONE: readonly never[] = [];

/** Who a session or a publisher is, and what it may do. */
export interface Identity {
  /** Undefined for an anonymous session in open mode. */
  readonly userId: string | undefined;
  readonly grants: Grants;
  /** Milliseconds since the Unix epoch; undefined for what never expires. */
  readonly expiresAt: number | undefined;
}

/** What a token allows. */
export class Grants {
  readonly #userId: string | undefined;
  // Arrays, as they are short, and a node holds one of each per session.
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

  /** The projects named one by one; empty for a token for all of them. */
  get projects(): readonly string[] {
    return this.#projects;
  }

  coversProject(projectId: string): boolean {
    return this.#allProjects || this.#projects.includes(projectId);
  }

  /** The only place that decides who may receive from a channel (ISO). */
  covers(channel: string): boolean {
    const parsed = tryParseChannel(channel);
    switch (parsed?.kind) {
      case 'all':
      case 'logs':
        return true;
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

  has(scope: Scope): boolean {
    return this.#scopes.includes(scope) || this.#scopes.includes('admin');
  }
}

/**
 * Who has no token in open mode: sees what belongs to no user, publishes, and reads statistics, but
 * does not touch other people's connections.
 */
export function anonymous(): Identity {
  return {
    userId: undefined,
    grants: new Grants({
      userId: undefined,
      projects: [ALL_PROJECTS],
      scopes: ['publish', 'stats'],
    }),
    expiresAt: undefined,
  };
}
