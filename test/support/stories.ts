import { get, post, type RawClient } from '@leque/lab';
import { expect } from 'vitest';

/** A valid event of its type. */
export function story(projectId: string, title = 'Implementar login') {
  const data = { story_id: 'STR-0001', title, project_id: projectId };
  return { type: 'story_created', project_id: projectId, data };
}

export async function historyOf(publisherUrl: string, projectId: string): Promise<unknown> {
  const { body } = await get(`${publisherUrl}/api/channels/project:${projectId}/history`);
  return body['publications'];
}

/** Publishes a second event, whose arrival proves that the first one was not repeated. */
export async function expectOneStory(
  client: RawClient,
  publisherUrl: string,
  projectId: string,
): Promise<void> {
  await post(`${publisherUrl}/api/publish`, { type: 'end', project_id: projectId, data: {} });
  const { cursor } = await client.first('end');
  expect(client.all('story_created')).toHaveLength(1);
  expect(cursor).toMatch(/\.2$/);
}
