import { execFile } from 'node:child_process';

const ENTRY = 'apps/leque/src/main.ts';

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Surroundings {
  /** Text for its standard input. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether its standard output is closed after the first data, as `head -1` does. */
  readonly readerLeaves?: boolean;
}

/** Runs a `leque` command to its end. */
export function leque(args: readonly string[], surroundings: Surroundings = {}): Promise<Ended> {
  const { input = '', env = {}, readerLeaves = false } = surroundings;
  const options = { env: { ...process.env, ...env }, timeout: 30_000 };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [ENTRY, ...args], options, (error, stdout, stderr) => {
      resolve({ code: Number(error?.killed ? -1 : (error?.code ?? 0)), stdout, stderr });
    });
    if (readerLeaves) child.stdout?.once('data', () => child.stdout?.destroy());
    child.stdin?.end(input);
  });
}
