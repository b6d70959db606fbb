import type { Stats } from '@leque/protocol';
import type { GroupStatus } from '../clients/client-spec.ts';
import type { Target } from '../target/target.ts';
import type { Plan } from './plan.ts';

const TIMEOUT_MS = 2000;
const PROJECT = 'project:';

/** The counts of the statistics API, compared with the real sockets. */
export class Counts {
  /** The last comparison, in words. */
  difference = '';
  readonly #target: Target;
  readonly #projects: readonly string[];

  constructor(target: Target, plan: Plan) {
    this.#target = target;
    this.#projects = plan.channels
      .map(({ channel }) => channel)
      .filter((channel) => channel.startsWith(PROJECT))
      .map((channel) => channel.slice(PROJECT.length));
  }

  /** Whether the counts are equal, in total and for each project. */
  async match(status: GroupStatus): Promise<boolean> {
    try {
      const stats = await this.#get<Stats>('/api/ws/stats');
      const asked = this.#projects.map((id) => this.#subscribers(id));
      const counted = { all: stats.active_connections, projects: await Promise.all(asked) };
      const there = {
        all: status.open,
        projects: this.#projects.map((id) => status.openByChannel[PROJECT + id] ?? 0),
      };
      this.difference = `counted ${JSON.stringify(counted)}, there are ${JSON.stringify(there)}`;
      return JSON.stringify(counted) === JSON.stringify(there);
    } catch (error) {
      this.difference = `the counts cannot be read: ${error instanceof Error ? error.message : error}`;
      return false;
    }
  }

  async #subscribers(project: string): Promise<number> {
    const path = `/api/ws/project/${project}/subscribers`;
    return (await this.#get<{ subscribers: number }>(path)).subscribers;
  }

  async #get<T>(path: string): Promise<T> {
    const [url = ''] = this.#target.publishers;
    const response = await fetch(url + path, {
      headers: this.#target.headers,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return (await response.json()) as T;
  }
}
