import { readFile } from 'node:fs/promises';
import type { Socket } from 'socket.io-client';

const GUIDE = new URL('../../docs/reconnecting.md', import.meta.url);

export interface Numbered {
  readonly data: { readonly n: number };
}

export type Follow = (
  url: string,
  projectId: string,
  told: {
    getToken: () => Promise<string>;
    onEvent: (event: Numbered) => void;
    onGap: () => void;
  },
) => () => void;

export type Listen = (
  url: string,
  getToken: () => Promise<string>,
  options?: {
    readonly onGap?: (channel: string) => void;
    readonly getGrants?: () => Promise<readonly string[]>;
  },
) => Socket;

/**
 * Runs the example code of docs/reconnecting.md unmodified, and returns its function.
 * @param scope the globals that the example uses
 */
export async function fromGuide<T>(
  name: string,
  scope: Readonly<Record<string, unknown>>,
): Promise<T> {
  const blocks = (await readFile(GUIDE, 'utf8')).split('```js\n').slice(1);
  const code = blocks
    .map((block) => block.split('```')[0])
    .find((js) => js?.includes(`function ${name}(`));
  const make = new Function(...Object.keys(scope), `${code}\nreturn ${name};`);
  return make(...Object.values(scope)) as T;
}
