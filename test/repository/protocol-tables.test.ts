import { readFileSync } from 'node:fs';
import { COMMANDS } from '@leque/protocol';
import { expect, test } from 'vitest';

const protocol = readFileSync(
  new URL('../../packages/protocol/PROTOCOL.md', import.meta.url),
  'utf8',
);
/** Matches the name of a field, and `?` after an optional one: `"since":"CURSOR"?` */
const FIELD = /"(\w+)":(?:"[^"]*"|\{[^}]*\}|\[[^\]]*\])(\??)/g;

interface Row {
  readonly action: string;
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/** The commands in the table of raw clients. */
function documented(): Row[] {
  const table = protocol.split('| client sends | server answers |')[1]?.split('\n\n')[0] ?? '';
  return [...table.matchAll(/^\| .*?`\{"action":"([\w.]+)"(.*?)\}` \|/gm)].map(
    ([, action = '', fields = '']) => {
      const found = [...fields.matchAll(FIELD)];
      const named = (isOptional: boolean) =>
        found.filter(([, , mark]) => (mark === '?') === isOptional).map(([, name = '']) => name);
      return { action, required: named(false), optional: named(true) };
    },
  );
}

test('[WS3] the table of commands in PROTOCOL.md has every command with its fields', () => {
  const known = Object.entries(COMMANDS).map(([action, { properties, required = [] }]) => {
    const optional = Object.keys(properties).filter(
      (name) => name !== 'id' && !(required as readonly string[]).includes(name),
    );
    return { action, required, optional };
  });
  expect(documented()).toEqual(known);
});
