import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What is installed on demand stays here, beside the system's other temporary files. */
export const CACHE = join(tmpdir(), 'leque-bench-peers');

/** @throws Error with what it wrote, when it fails */
export async function output(command: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run(command, args);
  return `${stdout}${stderr}`.trim();
}

/** The version in what a program says about itself, without its `v`; that as a whole if none is. */
export async function versionOf(command: string, ...args: string[]): Promise<string> {
  const said = await output(command, args);
  return /\d+\.\d+\.\d+\S*/.exec(said)?.[0] ?? said;
}

/** Debian packages; needs root. They start no service where the machine's policy says so. */
export async function installDebian(...packages: string[]): Promise<void> {
  await run('apt-get', ['install', '-y', '--no-install-recommends', ...packages]);
}
