import {
  ALL,
  FIREHOSE,
  ID_RULE,
  isId,
  LOG_LEVELS,
  LOGS,
  type LogLevel,
  ProtocolError,
  projectChannel,
  tryParseChannel,
  userChannel,
} from '@leque/protocol';
import type { Grants, Identity } from '../access/grants.ts';
import type { Filter } from '../fan-out/subscriber.ts';

/** Decides what a client receives without asking, and what it may ask for, on any transport. */
export interface Endpoint {
  /** The channels that a client gets without asking. */
  channels(identity: Identity): readonly string[];
  /** Whether a client that connects here has chosen its projects by that, as with a `subscribe`. */
  readonly isChoice?: true;
  /** Which publications of these channels are delivered; all of them when it is undefined. */
  readonly accepts?: Filter;
  /** Whether clients may subscribe to this project here. Their grants are checked elsewhere. */
  offers(projectId: string): boolean;
}

/**
 * Delivers the events for everyone, for the client's user, and for projects.
 * @param firehose whether tokens for all projects are fed from the firehose
 */
export function notificationsEndpoint(firehose: boolean): Endpoint {
  return {
    channels: ({ userId, grants }) => [
      ALL,
      ...(userId === undefined ? [] : [userChannel(userId)]),
      ...projectChannels(grants, firehose),
    ],
    offers: () => true,
  };
}

/** Delivers, beside what the transport gives to every client, the projects of the token. */
export function grantedProjectsEndpoint(firehose: boolean): Endpoint {
  return { channels: ({ grants }) => projectChannels(grants, firehose), offers: () => true };
}

/** Delivers no project without being asked. */
export const selectedProjectsEndpoint: Endpoint = { channels: () => [], offers: () => true };

/**
 * Delivers the events of one project only.
 * @throws ProtocolError `invalid_command` when it is no id
 */
export function projectEndpoint(projectId: string): Endpoint {
  if (isId(projectId)) return new ProjectEndpoint(projectId);
  throw new ProtocolError('invalid_command', `project_id must be ${ID_RULE}`);
}

/** A class, because each connection has one of these, and closures take more memory. */
class ProjectEndpoint implements Endpoint {
  readonly isChoice = true;
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

/**
 * Delivers log messages of a level and above; of all levels when `level` is empty.
 * @throws ProtocolError `invalid_command` for an unknown level
 */
export function logsEndpoint(level: string | undefined): Endpoint {
  const threshold = LOG_LEVELS.indexOf(parseLevel(level));
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

/** Whether project events come through this channel: those of one project, or of all. */
export function carriesProjects(channel: string): boolean {
  return channel === FIREHOSE || tryParseChannel(channel)?.kind === 'project';
}

/** Whether clients may subscribe to this channel here. Their rights are checked elsewhere. */
export function offersChannel(endpoint: Endpoint, channel: string): boolean {
  const parsed = tryParseChannel(channel);
  return parsed?.kind === 'project' && endpoint.offers(parsed.id);
}

function parseLevel(level: string | undefined): LogLevel {
  const name = (level || LOG_LEVELS[0]).toLowerCase();
  const known = LOG_LEVELS.find((each) => each === name);
  if (known !== undefined) return known;
  throw new ProtocolError('invalid_command', `level must be one of ${LOG_LEVELS.join(', ')}`);
}

/**
 * A token for all projects is fed from the firehose, because no session could subscribe to all of
 * them. Where there is no firehose, the client gets only the projects that it selects.
 */
function projectChannels(grants: Grants, firehose: boolean): string[] {
  if (!grants.allProjects) return grants.projects.map(projectChannel);
  return firehose ? [FIREHOSE] : [];
}
