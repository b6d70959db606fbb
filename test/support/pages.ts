import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const AsyncFunction = (async () => {}).constructor as new (
  ...args: readonly string[]
) => (...values: readonly unknown[]) => Promise<unknown>;

export async function textOf(page: string): Promise<string> {
  return await readFile(join(ROOT, page), 'utf8');
}

/** The blocks of a page in a language, in its order. */
export async function codeOf(page: string, language: string): Promise<string[]> {
  const text = await textOf(page);
  const blocks = text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'));
  return [...blocks].map(([, code = '']) => code);
}

/** The first block of a page in a language that has the word. */
export async function oneOf(page: string, language: string, word: string): Promise<string> {
  const code = (await codeOf(page, language)).find((each) => each.includes(word));
  if (code === undefined) throw new Error(`${page} has no ${language} with ${word}`);
  return code;
}

/** The texts of a page between backticks that begin with the text, such as commands in a table. */
export async function inlineOf(page: string, beginning: string): Promise<string[]> {
  const prose = (await textOf(page)).replaceAll(/^```.*?^```/gms, '');
  const texts = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => text);
  return texts.filter((text) => text.startsWith(beginning));
}

/**
 * Runs code unmodified.
 * @param scope the variables that the code uses without making them
 * @param names the variables that it makes, and that are returned
 */
export async function runCode<T>(
  code: string,
  scope: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Promise<T> {
  const program = new AsyncFunction(
    ...Object.keys(scope),
    `${code}\nreturn { ${names.join(', ')} };`,
  );
  return (await program(...Object.values(scope))) as T;
}
