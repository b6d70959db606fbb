import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Beyond PATH: where servers are, and where Go is unpacked by default. */
const MORE_FOLDERS = ['/usr/sbin', '/usr/local/go/bin'];

/** What is installed on demand stays here, beside the system's other temporary files. */
export const CACHE = join(tmpdir(), 'leque-bench-peers');

/** Every program of that name on this machine, in the order of PATH. */
export function programs(name: string, more = MORE_FOLDERS): string[] {
  // biome-ignore lint/style/noProcessEnv: where the machine keeps its programs is no configuration
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...more];
  return [...new Set(folders)].map((folder) => join(folder, name)).filter(isExecutable);
}

export function program(name: string, more = MORE_FOLDERS): string | undefined {
  return programs(name, more)[0];
}

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

/** A file in a temporary folder that goes with it. */
export interface TemporaryFile extends AsyncDisposable {
  readonly folder: string;
  readonly path: string;
  /** Writes it anew, with other values. */
  fill(values: Readonly<Record<string, string>>): Promise<void>;
}

/** Writes a copy of a template in which `{NAME}` is replaced by the value of that name. */
export async function fillTemplate(
  template: URL,
  values: Readonly<Record<string, string>>,
): Promise<TemporaryFile> {
  const folder = await mkdtemp(join(tmpdir(), 'leque-bench-'));
  const path = join(folder, template.pathname.split('/').at(-1) ?? 'configuration');
  const text = await readFile(template, 'utf8');
  const fill = (given: Readonly<Record<string, string>>) => {
    const all: Readonly<Record<string, string>> = { ...given, FOLDER: folder };
    const filled = (placeholder: string, name: string) => all[name] ?? placeholder;
    return writeFile(path, text.replaceAll(/\{([A-Z_]+)\}/g, filled));
  };
  await fill(values);
  return {
    folder,
    path,
    fill,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
