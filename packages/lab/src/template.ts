import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file in a temporary folder; disposing removes the folder. */
export interface TemporaryFile extends AsyncDisposable {
  readonly folder: string;
  readonly path: string;
  /** Rewrites the file with other values. */
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
