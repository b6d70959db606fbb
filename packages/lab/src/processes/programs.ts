import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Folders to search after PATH: those of servers and of Go. */
const MORE_FOLDERS = ['/usr/sbin', '/usr/local/go/bin'];

/** The paths of all programs of this name, in the order of PATH. */
export function programs(name: string, more = MORE_FOLDERS): string[] {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...more];
  return [...new Set(folders)].map((folder) => join(folder, name)).filter(isExecutable);
}

export function program(name: string, more = MORE_FOLDERS): string | undefined {
  return programs(name, more)[0];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
