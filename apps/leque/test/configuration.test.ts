import { GatewayConfig } from '@leque/gateway';
import { PublisherConfig } from '@leque/publisher';
import { SECRET_VARIABLES } from '@leque/service';
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

/** Groups of the page, each with the names of its variables; the last one takes the rest. */
const GROUPS: readonly (readonly [title: string, names: RegExp])[] = [
  [
    'Addresses and origins',
    /^(PORT|HOST|NODE_ID|\w+_PORT|BASE_\w+|\w+_HOSTS|CORS_\w+|TRUSTED_\w+|DOCS)$/,
  ],
  ['Tokens and keys', /^(AUTH_\w+|JWT_\w+|JWKS_\w+|PUBLISH_\w+|\w+_SECRET|NODE_ENV)$/],
  ['Redis', /^REDIS_/],
  [
    'Publishing and history',
    /^(HISTORY_\w+|IDEMPOTENCY_\w+|FIREHOSE|UNADDRESSED_\w+|MAX_(EVENT|BATCH)\w*|TRACE_\w+)$/,
  ],
  ['Clients', /^(WEBSOCKET_|SOCKETIO_|OUTBOX_|FANOUT_|SLOW_)/],
  ['Limits', /^(ADMISSION_|INPUT_|COMMAND_|API_|MAX_CONNECTIONS_)/],
  ['Starting, ending, watching', /./],
];

/** Variables of the same name and meaning, in the apps that read them. */
interface Shared extends Variable {
  readonly name: string;
  readonly apps: readonly { readonly app: string; readonly fallback: unknown }[];
}

function configurationPage(): string {
  const variables = sharedVariables();
  const groupOf = ({ name }: Shared) => GROUPS.find(([, names]) => names.test(name))?.[0];
  const sections = GROUPS.map(([title]) => {
    const rows = variables.filter((variable) => groupOf(variable) === title).map(row);
    return [`## ${title}`, '', ...HEAD, ...rows].join('\n');
  });
  const notes = Object.entries(NOTES).map(([app, note]) => `**${app}.** ${note}`);
  return `${[
    '# Configuration',
    'Processes read these environment variables once, at their start. A process that finds one of them wrong lists every problem and exits with 2; `leque check` does the same without starting, and names misspelt variables. This page is generated from the schemas.',
    'The column "read by" names the processes: gateway, publisher, `dev` (`leque dev`) and `cluster` (`leque cluster`). A default in brackets is that of the process before it.',
    ...notes,
    `A variable with a secret may be in a file: \`NAME_FILE\` names the file, and \`NAME\` is not set then. Line breaks at its end do not count. These are ${SECRET_VARIABLES.map((name) => `\`${name}_FILE\``).join(', ')}.`,
    ...sections,
  ].join('\n\n')}\n`;
}

const HEAD = ['| variable | default | read by | description |', '| --- | --- | --- | --- |'];

function sharedVariables(): Shared[] {
  const shared = new Map<string, Shared>();
  for (const [app, { properties }] of Object.entries(APPS)) {
    for (const [name, variable] of Object.entries(properties as Record<string, Variable>)) {
      const key = `${name} ${variable.description}`;
      const { apps } = shared.get(key) ?? { apps: [] };
      const reader = { app: app.replace('leque ', ''), fallback: variable.default };
      shared.set(key, { ...variable, ...shared.get(key), name, apps: [...apps, reader] });
    }
  }
  const names = [...shared.values()].map(({ name }) => name); // variables of one name in a row
  return [...shared.values()].sort(
    (one, other) => names.indexOf(one.name) - names.indexOf(other.name),
  );
}

function row({ name, description = '', default: usual, enum: values, apps }: Shared): string {
  const shown = COMPUTED[name] ?? (usual === undefined ? '' : `\`${usual}\``);
  const readers = apps.map(({ app, fallback }) =>
    fallback === usual || name in COMPUTED ? app : `${app} (\`${fallback}\`)`,
  );
  const choice =
    values === undefined ? '' : ` (${values.map((value) => `\`${value}\``).join(', ')})`;
  const text = `${description.replaceAll('|', '\\|')}${choice}`;
  return `| \`${name}\` | ${shown} | ${readers.join(', ')} | ${text} |`;
}
