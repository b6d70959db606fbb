/** Moves everything on the stack to the value: disposing of the value disposes of it. */
export function owned<T extends object>(
  value: T,
  stack: AsyncDisposableStack,
): T & AsyncDisposable {
  const owner = stack.move();
  return Object.assign(value, { [Symbol.asyncDispose]: () => owner.disposeAsync() });
}

/**
 * Waits for all, and puts those that started on the stack, even if others failed. Rejects if one
 * failed.
 */
export async function allOrNone<T extends AsyncDisposable>(
  starting: readonly Promise<T>[],
  stack: AsyncDisposableStack,
): Promise<T[]> {
  const settled = await Promise.allSettled(starting);
  for (const result of settled) if (result.status === 'fulfilled') stack.use(result.value);
  return Promise.all(starting);
}
