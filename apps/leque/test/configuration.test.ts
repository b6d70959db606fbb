import { GatewayConfig } from '@leque/gateway';
import { PublisherConfig } from '@leque/publisher';
import { expect, test } from 'vitest';
import { ClusterConfig, DevConfig } from '../src/dev/config.ts';

/** Defaults that differ between machines, as the page names them. */
const COMPUTED: Readonly<Record<string, string>> = { NODE_ID: 'host and process id' };
const APPS = {
  gateway: GatewayConfig,
  publisher: PublisherConfig,
  'leque dev': DevConfig,
  'leque cluster': ClusterConfig,
};

/** Sentences that the table of an app begins with. */
const NOTES: Readonly<Record<string, string>> = {
  'leque dev':
    'Without `REDIS_URL` the broker is a part of the process. Without a key for tokens it uses a secret of its own, which is made at random once, kept in `.leque/dev-secret`, and used by `leque token`, too.',
  'leque cluster':
    'Without `REDIS_URL` it starts a Redis of its own. Gateways and publisher inherit all other variables except `HOST` and `NODE_ID`. The secret is that of `leque dev`, and `CORS_ORIGIN` is by default the page of the publisher.',
};

interface Variable {
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
}

test('docs/configuration.md lists every variable of every app; `npm test -- -u` rewrites it', async () => {
  await expect(configurationPage()).toMatchFileSnapshot('../../../docs/configuration.md');
});

test('every variable has a description', () => {
  const silent = Object.entries(APPS).flatMap(([app, schema]) =>
    Object.entries(schema.properties as Record<string, Variable>)
      .filter(([, variable]) => !variable.description)
      .map(([name]) => `${app} ${name}`),
  );
  expect(silent).toEqual([]);
});

function configurationPage(): string {
  const sections = Object.entries(APPS).map(([app, schema]) =>
    [`## ${app}`, '', ...noteOn(app), ...table(schema.properties as Record<string, Variable>)].join(
      '\n',
    ),
  );
  return `${[
    '# Configuration',
    'Processes read these environment variables once, at their start. A process that finds one of them wrong lists every problem and exits with 2. This page is generated from the schemas.',
    ...sections,
  ].join('\n\n')}\n`;
}

function noteOn(app: string): string[] {
  const note = NOTES[app];
  return note === undefined ? [] : [note, ''];
}

function table(variables: Record<string, Variable>): string[] {
  const names = Object.keys(variables).sort();
  return [
    '| variable | default | description |',
    '| --- | --- | --- |',
    ...names.map((name) => row(name, variables[name] ?? {})),
  ];
}

function row(
  name: string,
  { description = '', default: fallback, enum: values }: Variable,
): string {
  const shown = COMPUTED[name] ?? (fallback === undefined ? '' : `\`${fallback}\``);
  const choice =
    values === undefined ? '' : ` (${values.map((value) => `\`${value}\``).join(', ')})`;
  return `| \`${name}\` | ${shown} | ${description.replaceAll('|', '\\|')}${choice} |`;
}
