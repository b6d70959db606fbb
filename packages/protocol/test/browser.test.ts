import { isBuiltin } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { rolldown } from 'rolldown';
import { parseAst } from 'rolldown/parseAst';
import { expect, test } from 'vitest';

const ENTRY = fileURLToPath(new URL('../src/index.ts', import.meta.url));
const NODE_GLOBALS = new Set([
  ...['Buffer', 'process', 'global', 'require', 'module', '__dirname', '__filename'],
  ...['setImmediate', 'clearImmediate'],
]);
/** Globals that every browser has, and the language itself does not. */
const WEB_GLOBALS = { crypto, TextDecoder, TextEncoder, URL };

interface Node {
  readonly type: string;
  readonly [member: string]: unknown;
}

test('the package uses no module and no global of Node', async () => {
  const { code, modules } = await bundle(ENTRY);
  expect(modules).toEqual([]);
  expect(nodeGlobalsIn(code)).toEqual([]);
});

test.each([
  ["export const bytes = () => Buffer.from('a');", { modules: [], globals: ['Buffer'] }],
  ['export const env = () => process.env.A;', { modules: [], globals: ['process'] }],
  ["export { readFileSync } from 'node:fs';", { modules: ['node:fs'], globals: [] }],
  ["export { readFileSync } from 'fs';", { modules: ['fs'], globals: [] }],
  ['export const own = { Buffer: 1 }.Buffer;', { modules: [], globals: [] }],
])('this check sees what a browser lacks in: %s', async (source, expected) => {
  const { code, modules } = await bundle('planted', source);
  expect({ modules, globals: nodeGlobalsIn(code) }).toEqual(expected);
});

test('the package parses and encodes where only the globals of a browser exist', async () => {
  const { code } = await bundle(ENTRY);
  const context = createContext({ ...WEB_GLOBALS });
  runInContext(code, context);
  const answer = runInContext(
    `(() => {
      const rules = { unaddressed: 'refuse', schemas: 'strict' };
      const { event } = protocol.tryParseEvent({ type: 'x', data: { n: 1 }, project_id: 'P' }, rules);
      const position = protocol.parseCursor('e.1');
      const envelope = protocol.encodeEnvelope({ ...event, position });
      const payload = new TextEncoder().encode('1 e 1 x ' + event.channel + '\\n' + event.json);
      const { channel } = protocol.tryDecodePayload(payload);
      const { action } = protocol.parseCommand('{"action":"subscribe","project_id":"P"}');
      const pong = protocol.encodeReply('pong', {});
      return JSON.stringify({ envelope: JSON.parse(envelope), channel, action, pong });
    })()`,
    context,
  );
  expect(JSON.parse(answer)).toMatchObject({
    envelope: { type: 'x', data: { n: 1 }, channel: 'project:P', cursor: 'e.1' },
    channel: 'project:P',
    action: 'subscribe',
  });
});

/** @param source the text of `entry`, when it is not a file */
async function bundle(
  entry: string,
  source?: string,
): Promise<{ code: string; modules: string[] }> {
  await using build = await rolldown({
    input: entry,
    platform: 'browser',
    external: isBuiltin,
    onLog: () => {}, // it guesses a name for each module of Node
    plugins: [
      {
        name: 'planted',
        resolveId: (id) => (source !== undefined && id === entry ? id : null),
        load: (id) => (id === entry ? source : undefined),
      },
    ],
  });
  const output = await build.generate({ format: 'iife', name: 'protocol', exports: 'named' });
  const [{ code, imports }] = output.output;
  return { code, modules: imports };
}

/** Names of Node's globals that the code reads, other than as names of properties. */
function nodeGlobalsIn(code: string): string[] {
  const found = new Set<string>();
  visit(parseAst(code) as unknown as Node, (node, parent, key) => {
    const isProperty = (key === 'property' || key === 'key') && parent?.['computed'] === false;
    if (node.type !== 'Identifier' || isProperty) return;
    const name = String(node['name']);
    if (NODE_GLOBALS.has(name)) found.add(name);
  });
  return [...found];
}

type Visitor = (node: Node, parent: Node | undefined, key: string) => void;

function visit(node: Node, visitor: Visitor, at?: { parent: Node; key: string }): void {
  visitor(node, at?.parent, at?.key ?? '');
  for (const [key, member] of Object.entries(node)) {
    for (const child of Array.isArray(member) ? member : [member]) {
      if (isNode(child)) visit(child, visitor, { parent: node, key });
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}
