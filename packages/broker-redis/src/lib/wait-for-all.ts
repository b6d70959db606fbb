/**
 * Waits until every promise has settled, where `Promise.all` stops at the first failure.
 * @throws the first failure in the order of `promises`
 */
export async function waitForAll<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  });
}
