import { openRedis, RedisSettings, redisRule } from '@leque/broker-redis';
import type { Telemetry } from '@leque/core';
import { GatewayConfig, readGatewayConfig } from '@leque/gateway';
import { ProtocolError } from '@leque/protocol';
import { PublisherConfig, readPublisherConfig } from '@leque/publisher';
import { ConfigError, readConfig, SECRET_VARIABLES, tooFewOpenFiles } from '@leque/service';
import { API_VARIABLES } from '../api/api-client.ts';
import { EXIT, type ExitCode } from '../api/exit.ts';
import { ClusterConfig, DevConfig } from '../dev/config.ts';
import { adviseOn, adviseOnSentinel, type Finding } from './redis-advice.ts';
import { adviseOnKeys, adviseOnTokens } from './token-advice.ts';
import { findUnknownVariables, type UnknownVariable } from './unknown-variables.ts';

export type App = 'gateway' | 'publisher';
type Env = Readonly<Record<string, string | undefined>>;

export interface CheckedServer {
  /** HOST:PORT, with `sentinel` before it for a sentinel */
  readonly server: string;
  /** For example `Valkey 9.1.2`; undefined where the server does not say. */
  readonly version?: string | undefined;
  readonly findings: readonly Finding[];
}

export interface Report {
  readonly exitCode: ExitCode;
  /** Problems of the variables. */
  readonly configuration: readonly string[];
  /** Settings that work and are probably not meant, or do not fit this machine. */
  readonly warnings: readonly string[];
  /** Variables that are probably misspelt; no app reads them. */
  readonly unknown: readonly UnknownVariable[];
  /** Findings for each Redis server and sentinel. */
  readonly servers: readonly CheckedServer[];
  /** The reason why Redis cannot be used. */
  readonly unreachable?: string;
}

/** Variables that something of Leque reads. */
const KNOWN = [
  ...[GatewayConfig, PublisherConfig, DevConfig, ClusterConfig].flatMap(({ properties }) =>
    Object.keys(properties),
  ),
  ...SECRET_VARIABLES.map((name) => `${name}_FILE`),
  ...API_VARIABLES,
  'NODE_ENV',
];

/** Checks the environment as the app would read it, and the Redis that it names. */
export async function check(app: App, env: Env): Promise<Report> {
  const unknown = findUnknownVariables(env, [...new Set(KNOWN)]);
  const config = tryRead(app, env);
  if (config instanceof ConfigError) {
    const configuration = [config.message];
    return { exitCode: EXIT.usage, configuration, warnings: [], unknown, servers: [] };
  }
  const conflicts: string[] = [];
  const redis = await checkRedis(app, env, collectConflicts(conflicts));
  return {
    configuration: [],
    warnings: [
      ...adviseOnTokens(config),
      ...(await adviseOnKeys(config)),
      ...warningsOf(config),
      ...conflicts,
    ],
    unknown,
    ...redis,
  };
}

function tryRead(app: App, env: Env): GatewayConfig | PublisherConfig | ConfigError {
  try {
    return (app === 'gateway' ? readGatewayConfig : readPublisherConfig)(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error;
  }
}

function warningsOf(config: GatewayConfig | PublisherConfig): string[] {
  if (!('WEBSOCKET_MAX_CONNECTIONS' in config)) return [];
  const tooFew = tooFewOpenFiles(config.WEBSOCKET_MAX_CONNECTIONS);
  return tooFew === undefined ? [] : [`${tooFew}; raise ulimit -n, or lower the variable`];
}

type RedisReport = Pick<Report, 'exitCode' | 'servers' | 'unreachable'>;

/** Collects what loading the functions finds: processes with other limits for histories. */
function collectConflicts(conflicts: string[]): Telemetry {
  return {
    report(fact) {
      if (fact.type !== 'failure' || fact.where !== 'functions') return;
      if (fact.error instanceof Error) conflicts.push(fact.error.message);
    },
  };
}

async function checkRedis(app: App, env: Env, telemetry: Telemetry): Promise<RedisReport> {
  const settings = readConfig(RedisSettings, env, [redisRule]);
  const redis = openRedis(settings, { nodeId: 'check', telemetry });
  try {
    await redis.connect();
    const health = redis.broker.health();
    if (!health.ok) return unusable(redis.refusal() ?? health.reason);
    const { servers, sentinels } = await redis.inspect(app);
    const checked = [
      ...servers.map(({ server, version, ...facts }) => ({
        server,
        version,
        findings: adviseOn(facts),
      })),
      ...sentinels.map(({ sentinel, ...facts }) => ({
        server: `sentinel ${sentinel}`,
        findings: adviseOnSentinel(facts),
      })),
    ];
    const isWrong = checked.some(({ findings }) => findings.some(({ level }) => level === 'error'));
    return { exitCode: isWrong ? EXIT.refused : EXIT.done, servers: checked };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return unusable(reasonOf(error));
  } finally {
    await redis.close();
  }
}

/** The operator at the terminal may know what no client is told. */
function reasonOf({ message, cause }: ProtocolError): string {
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}

function unusable(unreachable: string): RedisReport {
  return { exitCode: EXIT.unreachable, servers: [], unreachable };
}

/** The report as text for people. */
export function describe(report: Report): string {
  const { configuration, unknown, servers, unreachable } = report;
  const warnings = [
    ...report.warnings.map((warning) => `warning: ${warning}`),
    ...unknown.map(
      ({ name, meant }) =>
        `warning: no variable of Leque is called ${name}${meant ? `; did you mean ${meant}?` : ''}`,
    ),
  ];
  if (configuration.length > 0) return [...configuration, ...warnings].join('\n');
  if (unreachable !== undefined)
    return [`Redis cannot be used: ${unreachable}`, ...warnings].join('\n');
  return [
    'The configuration is right.',
    ...warnings,
    ...servers.map((server) => [headline(server), ...server.findings.map(sentence)].join('\n')),
  ].join('\n');
}

function headline({ server, version, findings }: CheckedServer): string {
  const where = version === undefined ? `Redis ${server}` : `${version} at ${server}`;
  return findings.every(({ level }) => level === 'note') ? `${where}: fine.` : `${where}:`;
}

function sentence({ level, what, advice }: Finding): string {
  return `  ${level}: ${what}; ${advice}`;
}
