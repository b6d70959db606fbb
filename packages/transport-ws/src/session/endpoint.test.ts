import { Grants, Publication } from '@leque/core';
import { LOG_LEVELS, type LogLevel } from '@leque/protocol';
import { describe, expect, test } from 'vitest';
import { type Endpoint, logs, notifications, project } from './endpoint.ts';

describe('[WS5] /ws/notifications', () => {
  test.each([
    { who: 'alice', projects: ['A', 'B'], feeds: ['all', 'user:alice', 'project:A', 'project:B'] },
    { who: 'alice', projects: [], feeds: ['all', 'user:alice'] },
    { who: 'alice', projects: ['*'], feeds: ['all', 'user:alice', 'firehose'] },
    { who: undefined, projects: ['*'], feeds: ['all', 'firehose'] },
  ])('feeds $who with projects $projects: $feeds', ({ who, projects, feeds }) => {
    expect(channelsOf(notifications(true), who, projects)).toEqual(feeds);
  });

  test('feeds who may see all projects none of them without a firehose', () => {
    expect(channelsOf(notifications(false), 'alice', ['*'])).toEqual(['all', 'user:alice']);
    expect(channelsOf(notifications(false), 'alice', ['A'])).toContain('project:A');
  });
});

describe('[WS6] the narrow endpoints', () => {
  test('/ws/project/{id} feeds and offers that project only', () => {
    const endpoint = project('A');
    expect(channelsOf(endpoint, 'u', ['A', 'B'])).toEqual(['project:A']);
    expect([endpoint.offers('A'), endpoint.offers('B')]).toEqual([true, false]);
  });

  test.each([...LOG_LEVELS])('/ws/logs?level=%s passes that level and above', (level) => {
    const { accepts } = logs(level);
    const passed = LOG_LEVELS.filter((said) => accepts?.(logMessage(said)));
    expect(passed).toEqual(LOG_LEVELS.slice(LOG_LEVELS.indexOf(level)));
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
