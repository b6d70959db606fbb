import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { acquiredWithin, within } from '../src/measuring/deadline.ts';

const wait = (signal = new AbortController().signal) => ({ what: 'it', seconds: 5, signal });

describe('a wait', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('settles like the promise and leaves no timer behind', async () => {
    expect(await within(Promise.resolve(7), wait())).toBe(7);
    await expect(within(Promise.reject(new Error('no')), wait())).rejects.toThrow('no');
    expect(vi.getTimerCount()).toBe(0);
  });

  test('rejects at its deadline', async () => {
    const never = within(new Promise(() => {}), wait());
    const failure = expect(never).rejects.toThrow('it took more than 5 s');
    await vi.advanceTimersByTimeAsync(5000);
    await failure;
  });

  test('rejects at once when its signal aborts', async () => {
    const controller = new AbortController();
    const given = within(new Promise(() => {}), wait(controller.signal));
    controller.abort(new Error('interrupted'));
    await expect(given).rejects.toThrow('interrupted');
    await expect(within(Promise.resolve(7), wait(controller.signal))).rejects.toThrow();
  });

  test('disposes of a resource that arrives too late', async () => {
    const { promise, resolve } = Promise.withResolvers<AsyncDisposable>();
    const dispose = vi.fn(async () => {});
    const late = expect(acquiredWithin(promise, wait())).rejects.toThrow('it took');
    await vi.advanceTimersByTimeAsync(5000);
    await late;
    resolve({ [Symbol.asyncDispose]: dispose });
    await vi.advanceTimersByTimeAsync(0);
    expect(dispose).toHaveBeenCalledOnce();
  });
});
