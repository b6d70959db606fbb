import { openRedis, RedisSettings, redisRule } from '@leque/broker-redis';
import { readGatewayConfig } from '@leque/gateway';
import { ProtocolError } from '@leque/protocol';
import { readPublisherConfig } from '@leque/publisher';
import { ConfigError, readConfig } from '@leque/service';
import { Command, Option } from 'commander';
import { adviseOn, adviseOnSentinel, type Finding } from '../api/redis-advice.ts';

/** What scripts find in `$?`. */
const EXIT = { fine: 0, wrong: 1, configuration: 2, unreachable: 3 } as const;

interface CheckOptions {
  readonly app: 'gateway' | 'publisher';
  readonly json?: boolean;
}

interface Report {
  readonly exitCode: number;
  /** What is wrong with the variables. */
  readonly configuration: readonly string[];
  /** And sentinels. */
  readonly servers: readonly { readonly server: string; readonly findings: readonly Finding[] }[];
  /** Why Redis cannot be used. */
  readonly unreachable?: string;
}

const EXAMPLES = `
Examples:
  REDIS_URL=redis://localhost JWT_SECRET=… leque check
  leque check --app publisher --json

It changes nothing but what every start does: it loads Leque's functions into Redis.
Exit codes: 0 fine, perhaps with warnings; 1 something must be changed; 2 wrong configuration;
3 Redis cannot be reached, or refuses.`;

/** Looks at the environment as a gateway or publisher would, and at its Redis. */
export function checkCommand(env: NodeJS.ProcessEnv): Command {
  return new Command('check')
    .description('check the configuration in the environment, and its Redis')
    .addOption(
      new Option('--app <app>', 'whose variables')
        .choices(['gateway', 'publisher'])
        .default('gateway'),
    )
    .option('--json', 'as an object')
    .addHelpText('after', EXAMPLES)
    .action(async ({ app, json = false }: CheckOptions) => {
      const report = await check(app, env);
      console.log(json ? JSON.stringify(report, null, 2) : describe(report));
      process.exitCode = report.exitCode;
    });
}

async function check(app: CheckOptions['app'], env: NodeJS.ProcessEnv): Promise<Report> {
  try {
    (app === 'gateway' ? readGatewayConfig : readPublisherConfig)(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { exitCode: EXIT.configuration, configuration: [error.message], servers: [] };
  }
  const redis = openRedis(readConfig(RedisSettings, env, [redisRule]), {
    nodeId: 'check',
    telemetry: { report: () => {} },
  });
  try {
    await redis.connect();
    const health = redis.broker.health();
    if (!health.ok) return unusable(health.reason);
    const { servers, sentinels } = await redis.inspect(app);
    const looked = [
      ...servers.map(({ server, ...facts }) => ({ server, findings: adviseOn(facts) })),
      ...sentinels.map(({ sentinel, ...facts }) => ({
        server: `sentinel ${sentinel}`,
        findings: adviseOnSentinel(facts),
      })),
    ];
    const isWrong = looked.some(({ findings }) => findings.some(({ level }) => level === 'error'));
    const exitCode = isWrong ? EXIT.wrong : EXIT.fine;
    return { exitCode, configuration: [], servers: looked };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return unusable(error.message);
  } finally {
    await redis.close();
  }
}

function unusable(unreachable: string): Report {
  return { exitCode: EXIT.unreachable, configuration: [], servers: [], unreachable };
}

function describe({ configuration, servers, unreachable }: Report): string {
  if (configuration.length > 0) return configuration.join('\n');
  if (unreachable !== undefined) return `Redis cannot be used: ${unreachable}`;
  return [
    'The configuration is right.',
    ...servers.map(({ server, findings }) =>
      findings.length === 0
        ? `Redis ${server}: fine.`
        : [`Redis ${server}:`, ...findings.map(sentence)].join('\n'),
    ),
  ].join('\n');
}

function sentence({ level, what, advice }: Finding): string {
  return `  ${level}: ${what}; ${advice}`;
}
