import { describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { bearer, PublisherUnderTest } from './publisher-under-test.ts';

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly responses: Readonly<Record<string, Answer>>;
}

interface Parameter {
  readonly name: string;
  readonly description?: string;
  readonly schema?: { readonly description?: string };
}

interface Answer {
  readonly description?: string;
  readonly content?: Readonly<Record<string, { readonly schema?: object }>>;
}

async function readDocument() {
  await using publisher = new PublisherUnderTest();
  const { json } = await publisher.get('/openapi.json');
  const operations = Object.entries<Record<string, Operation>>(json.paths).flatMap(
    ([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        route: `${method.toUpperCase()} ${path}`,
        ...operation,
      })),
  );
  return { json, operations };
}

describe('the OpenAPI document', () => {
  test('has the version of the manifest', async () => {
    const { json } = await readDocument();
    expect(json.info.version).toBe(manifest.version);
  });

  test('declares and describes every tag of every route, and no other', async () => {
    const { json, operations } = await readDocument();
    const declared = json.tags.map(({ name }: { name: string }) => name);
    const used = new Set(operations.flatMap(({ tags = [] }) => tags));
    expect([...used].sort()).toEqual([...declared].sort());
    expect(operations.filter(({ tags }) => tags?.length !== 1)).toEqual([]);
    for (const { description } of json.tags) expect(description).toMatch(/^[A-Z].*\.$/);
  });

  test('gives every route a summary and describes every parameter', async () => {
    const { operations } = await readDocument();
    expect(operations.filter(({ summary }) => !summary)).toEqual([]);
    const silent = operations.flatMap(({ route, parameters = [] }) =>
      parameters
        .filter(({ description, schema }) => !(description || schema?.description))
        .map(({ name }) => `${route} ${name}`),
    );
    expect(silent).toEqual([]);
  });

  test('names every route, for programs that generate clients', async () => {
    const { operations } = await readDocument();
    const ids = operations.map(({ operationId }) => operationId);
    for (const id of ids) expect(id).toMatch(/^[a-z]+[A-Z][A-Za-z]+$/);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('describes every success of every route', async () => {
    const { operations } = await readDocument();
    for (const { route, responses } of operations) {
      expect(responses['200']?.description, route).toMatch(/^[A-Z].*\.$/);
      expect(responses['200']?.description, route).not.toBe('Default Response');
    }
  });

  test('answers every success of every route with JSON and a schema', async () => {
    const { operations } = await readDocument();
    for (const { route, responses } of operations) {
      expect(Object.keys(responses).sort(), route).toEqual(['200', '4XX', '5XX']);
      expect(Object.keys(responses['200']?.content ?? {}), route).toEqual(['application/json']);
    }
  });

  test('answers every failure of every route with the same problem document', async () => {
    const { operations } = await readDocument();
    const failures = operations.flatMap(({ route, responses }) =>
      Object.entries(responses)
        .filter(([status]) => /^[45]/.test(status))
        .map(([status, answer]) => ({ name: `${route} ${status}`, ...answer })),
    );
    expect(failures).toHaveLength(2 * operations.length);
    for (const { name, description, content = {} } of failures) {
      expect(description, name).toMatch(/^The request/);
      expect(Object.keys(content), name).toEqual(['application/problem+json']);
      const { schema } = content['application/problem+json'] ?? {};
      expect(schema, name).toMatchObject({
        required: ['type', 'title', 'status', 'detail', 'code'],
      });
    }
  });

  test('names every channel that reading routes accept', async () => {
    const { operations } = await readDocument();
    const channels = operations.flatMap(({ parameters = [] }) =>
      parameters.filter(({ name }) => name === 'channel'),
    );
    expect(channels).toHaveLength(3);
    for (const { description, schema } of channels) {
      expect(description ?? schema?.description).toContain(
        'all, logs, firehose, project:ID or user:ID',
      );
    }
  });
});

test.each([
  '/api/channels/nowhere/history',
  '/api/channels/nowhere/cursor',
  '/api/messages/id/trace?channel=nowhere',
])('GET %s is refused with the channels that it accepts', async (url) => {
  await using publisher = new PublisherUnderTest();
  const { status, json } = await publisher.get(url, await bearer(['admin']));
  expect(status).toBe(400);
  expect(json.errors).toEqual([
    { field: 'channel', message: 'must be all, logs, firehose, project:ID or user:ID' },
  ]);
});
