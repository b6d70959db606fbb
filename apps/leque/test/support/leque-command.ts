import { execFile } from 'node:child_process';

const ENTRY = 'apps/leque/src/main.ts';

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `leque …` to its end, with this on its standard input. */
export function leque(
  args: readonly string[],
  { input = '', env = {} }: { input?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Ended> {
  const options = { env: { ...process.env, ...env } };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [ENTRY, ...args], options, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
    child.stdin?.end(input);
  });
}
