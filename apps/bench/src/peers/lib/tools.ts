import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Folder of the peers that are installed on demand. */
export const CACHE = join(tmpdir(), 'leque-bench-peers');

/** The output of a command. @throws Error with the output when the command fails */
export async function output(command: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run(command, args);
  return `${stdout}${stderr}`.trim();
}

/** The version in a program's output, without `v`; the whole output when it contains none. */
export async function versionOf(command: string, ...args: string[]): Promise<string> {
  const said = await output(command, args);
  return /\d+\.\d+\.\d+\S*/.exec(said)?.[0] ?? said;
}

/** Installs Debian packages; needs root. */
export async function installDebian(...packages: string[]): Promise<void> {
  await run('apt-get', ['install', '-y', '--no-install-recommends', ...packages]);
}
