import type { Filter, Grants, Identity } from '@leque/core';
import {
  ALL,
  FIREHOSE,
  LOG_LEVELS,
  LOGS,
  type LogLevel,
  projectChannel,
  tryParseChannel,
  userChannel,
} from '@leque/protocol';

/** What one of the three paths delivers. */
export interface Endpoint {
  /** The channels that a client gets without asking. */
  channels(identity: Identity): readonly string[];
  /** Which publications of those pass; all without it. */
  readonly accepts?: Filter;
  /** Whether its client may subscribe to this project here; its grants are another matter. */
  offers(projectId: string): boolean;
}

/** `/ws/notifications`: for everyone, for its user, and for projects. */
export function notifications(firehose: boolean): Endpoint {
  return {
    channels: ({ userId, grants }) => [
      ALL,
      ...(userId === undefined ? [] : [userChannel(userId)]),
      ...projectChannels(grants, firehose),
    ],
    offers: () => true,
  };
}

/** `/ws/project/{id}`: one project's events only. */
export function project(projectId: string): Endpoint {
  return new ProjectEndpoint(projectId);
}

/** A class, as each connection has one of these, and closures are larger. */
class ProjectEndpoint implements Endpoint {
  readonly #channel: string;

  constructor(projectId: string) {
    this.#channel = projectChannel(projectId);
  }

  channels(): readonly string[] {
    return [this.#channel];
  }

  offers(projectId: string): boolean {
    return projectChannel(projectId) === this.#channel;
  }
}

/** `/ws/logs?level=`: log messages of a level and above. */
export function logs(level: LogLevel): Endpoint {
  const threshold = LOG_LEVELS.indexOf(level);
  return {
    channels: () => [LOGS],
    accepts: ({ type, event }) => {
      if (type !== 'log_message') return false;
      const data = event['data'] as { level?: LogLevel } | null | undefined;
      return data?.level !== undefined && LOG_LEVELS.indexOf(data.level) >= threshold;
    },
    offers: () => false,
  };
}

/** Whether project events come through this channel: of one project, or of all. */
export function carriesProjects(channel: string): boolean {
  return channel === FIREHOSE || tryParseChannel(channel)?.kind === 'project';
}

/**
 * A token for all projects is fed from the firehose, as nobody could subscribe to them all; where
 * there is none, only from the projects that its client selects.
 */
function projectChannels(grants: Grants, firehose: boolean): string[] {
  if (!grants.allProjects) return grants.projects.map(projectChannel);
  return firehose ? [FIREHOSE] : [];
}
