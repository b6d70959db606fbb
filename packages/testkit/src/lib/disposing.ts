/** Hands what is on the stack over to the value, which disposes of it from then on. */
export function owned<T extends object>(
  value: T,
  stack: AsyncDisposableStack,
): T & AsyncDisposable {
  const owner = stack.move();
  return Object.assign(value, { [Symbol.asyncDispose]: () => owner.disposeAsync() });
}

/** Those that did start are on the stack also when another one did not. */
export async function allOrNone<T extends AsyncDisposable>(
  starting: readonly Promise<T>[],
  stack: AsyncDisposableStack,
): Promise<T[]> {
  const settled = await Promise.allSettled(starting);
  for (const result of settled) if (result.status === 'fulfilled') stack.use(result.value);
  return Promise.all(starting);
}
