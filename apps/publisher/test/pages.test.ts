import { expect, test } from 'vitest';
import { PublisherUnderTest } from './publisher-under-test.ts';

const LISTEN = '/docs/listen';

/** Values of the attributes that load or name something. */
function valuesOf(html: string, ...names: readonly string[]): string[] {
  const pattern = new RegExp(`\\b(?:${names.join('|')})="([^"]*)"`, 'g');
  return [...html.matchAll(pattern)].map(([, value = '']) => value);
}

test('the page for listening loads files of this server only, and all of them exist', async () => {
  await using publisher = new PublisherUnderTest();
  const { status, text, headers } = await publisher.get(LISTEN);
  expect(status).toBe(200);
  expect(headers['content-type']).toContain('text/html');
  for (const path of valuesOf(text, 'src', 'href')) {
    const url = new URL(path, `http://leque${LISTEN}`);
    expect(url.host).toBe('leque');
    expect((await publisher.get(url.pathname)).status, path).toBe(200);
  }
});

test('the page for listening works under its own content security policy', async () => {
  await using publisher = new PublisherUnderTest();
  const { text, headers } = await publisher.get(LISTEN);
  const policy = String(headers['content-security-policy']);
  for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"]) {
    expect(policy).toContain(part);
  }
  expect(policy).not.toContain('unsafe');
  expect(text).not.toMatch(/<style|style=|\bon[a-z]+=|<script(?! type="module" src=)/);
});

test('every element that the script of the page uses is there', async () => {
  await using publisher = new PublisherUnderTest();
  const { text } = await publisher.get(LISTEN);
  const { text: script } = await publisher.get('/docs/listen.js');
  const used = [...script.matchAll(/\bfind\('([^']+)'\)/g)].map(([, id]) => id);
  expect(used).toContain('events');
  expect(valuesOf(text, 'id')).toEqual(expect.arrayContaining(used));
  expect(script).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write|\beval\b/);
});

test('the page of the API has its own name, and loads over http on any host', async () => {
  await using publisher = new PublisherUnderTest();
  const { text, headers } = await publisher.get('/docs/');
  expect(text).toContain('<title>Leque: HTTP API</title>');
  expect(text).toContain('leque.svg');
  const policy = String(headers['content-security-policy']);
  expect(policy).not.toContain('upgrade-insecure-requests');
  expect(policy.match(/frame-ancestors/g)).toHaveLength(1);
  const initializer = await publisher.get('/docs/static/swagger-initializer.js');
  expect(initializer.text).toContain('"layout":"BaseLayout"');
});
