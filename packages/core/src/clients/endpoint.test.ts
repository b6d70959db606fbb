import { LOG_LEVELS, type LogLevel } from '@leque/protocol';
import { describe, expect, test } from 'vitest';
import { Grants } from '../access/grants.ts';
import { Publication } from '../publication/publication.ts';
import { type Endpoint, logsEndpoint, notificationsEndpoint, projectEndpoint } from './endpoint.ts';

describe('[WS5] /ws/notifications', () => {
  test.each([
    { who: 'alice', projects: ['A', 'B'], feeds: ['all', 'user:alice', 'project:A', 'project:B'] },
    { who: 'alice', projects: [], feeds: ['all', 'user:alice'] },
    { who: 'alice', projects: ['*'], feeds: ['all', 'user:alice', 'firehose'] },
    { who: undefined, projects: ['*'], feeds: ['all', 'firehose'] },
  ])('[WS5.1] [WS5.3] feeds $who with projects $projects: $feeds', ({ who, projects, feeds }) => {
    expect(channelsOf(notificationsEndpoint(true), who, projects)).toEqual(feeds);
  });

  test('gives a token for all projects none of them when there is no firehose', () => {
    expect(channelsOf(notificationsEndpoint(false), 'alice', ['*'])).toEqual(['all', 'user:alice']);
    expect(channelsOf(notificationsEndpoint(false), 'alice', ['A'])).toContain('project:A');
  });
});

describe('[WS6] the narrow endpoints', () => {
  test('/ws/project/{id} feeds and offers that project only', () => {
    const endpoint = projectEndpoint('A');
    expect(channelsOf(endpoint, 'u', ['A', 'B'])).toEqual(['project:A']);
    expect([endpoint.offers('A'), endpoint.offers('B')]).toEqual([true, false]);
  });

  test.each([...LOG_LEVELS])('/ws/logs?level=%s passes that level and above', (level) => {
    const { accepts } = logsEndpoint(level);
    const passed = LOG_LEVELS.filter((said) => accepts?.(logMessage(said)));
    expect(passed).toEqual(LOG_LEVELS.slice(LOG_LEVELS.indexOf(level)));
  });

  test('/ws/logs passes all levels when none is given, and refuses unknown ones', () => {
    for (const level of [undefined, '']) {
      expect(logsEndpoint(level).accepts?.(logMessage('debug'))).toBe(true);
    }
    expect(logsEndpoint('ERROR').accepts?.(logMessage('warning'))).toBe(false);
    expect(() => logsEndpoint('loud')).toThrow(/level must be one of debug,/);
  });

  test('/ws/project/{id} refuses what is not an id', () => {
    expect(() => projectEndpoint('a\nb')).toThrow(/project_id must be/);
  });
});

function channelsOf(
  endpoint: Endpoint,
  userId: string | undefined,
  projects: readonly string[],
): string[] {
  return [...endpoint.channels(identity(userId, projects))];
}

function identity(userId: string | undefined, projects: readonly string[]) {
  return { userId, grants: new Grants({ userId, projects, scopes: [] }), expiresAt: undefined };
}

function logMessage(level: LogLevel): Publication {
  const json = JSON.stringify({ type: 'log_message', data: { level, message: 'm' } });
  return new Publication({ channel: 'logs', type: 'log_message', position: undefined, json });
}
