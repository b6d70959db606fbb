import { readFileSync } from 'node:fs';
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { createVerifiers } from '../verifiers.ts';

const guide = readFileSync(new URL('../../../../docs/tokens.md', import.meta.url), 'utf8');
const JWT_SECRET = 'a secret of thirty-two characters';
/** The constructor of async functions, which has no name of its own. */
const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;

test('[GR1.3] the lines of docs/tokens.md make a grant and a token that are accepted', async () => {
  const blocks = [...guide.matchAll(/^```ts\n(import \{ SignJWT \}[^`]*)```$/gm)];
  const run = (name: string) => {
    const code = blocks
      .map(([, text = '']) => text)
      .find((text) => text.includes(`const ${name} =`));
    const body = `${code?.replace(/^import .*$/m, '')}\nreturn ${name};`;
    return new AsyncFunction('SignJWT', 'process', body)(SignJWT, { env: { JWT_SECRET } });
  };
  const { grants, tokens } = createVerifiers({ JWT_SECRET });
  expect(await grants.verify(await run('grant'))).toMatchObject({
    userId: 'alice',
    projects: ['board:9'],
  });
  expect(await tokens.verify(await run('token'))).toMatchObject({ userId: 'alice' });
});
