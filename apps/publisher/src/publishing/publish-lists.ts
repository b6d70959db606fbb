import type { Published, Telemetry } from '@leque/core';
import type { ItemResult, ListResult } from '@leque/protocol';
import type { CheckedList, CheckedLists } from './checked-lists.ts';
import type { Publishing, PublishOptions } from './publishing.ts';
import { failedStatus, problemFor, storedIn } from './results.ts';

export interface ListDeps {
  readonly publishing: Publishing;
  readonly telemetry: Telemetry;
}

/**
 * Publishes an event to each channel that its lists name.
 * @returns one result for each channel, in the order of the lists
 */
export async function publishLists(
  deps: ListDeps,
  { lists }: CheckedLists,
  options: PublishOptions,
): Promise<ListResult> {
  const results = await Promise.all(lists.map((list) => publishList(deps, list, options)));
  const { messageId: message_id = '', warnings } = lists[0]?.template ?? {};
  const answer = { message_id, results: results.flat() };
  return warnings === undefined ? answer : { ...answer, warnings: [...warnings] };
}

async function publishList(
  { publishing, telemetry }: ListDeps,
  list: CheckedList,
  options: PublishOptions,
): Promise<ItemResult[]> {
  const isLive = list.template.live === true;
  const open = list.targets.filter(({ refusal }) => refusal === undefined);
  const channels = open.map(({ channel }) => channel);
  const publications = new Map(
    publishing.publishToEach(list, channels, options).map((each, index) => [channels[index], each]),
  );
  const results = list.targets.map(async ({ channel, refusal }): Promise<ItemResult> => {
    if (refusal !== undefined) {
      return { status: 'refused', channel, problem: problemFor(telemetry, refusal) };
    }
    try {
      const published = (await publications.get(channel)) as Published;
      const stored = storedIn(channel, published);
      return isLive ? { status: 'live', ...stored, live: true } : { status: 'stored', ...stored };
    } catch (error) {
      const problem = problemFor(telemetry, error);
      return { status: failedStatus(problem), channel, problem };
    }
  });
  return await Promise.all(results);
}
