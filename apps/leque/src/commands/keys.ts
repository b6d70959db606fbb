import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { Command, Option } from 'commander';
import { EXIT } from '../api/exit.ts';
import { print } from '../api/print.ts';
import { runCommand } from '../api/run-command.ts';

const SECRET_BYTES = 32;
const API_KEY_BYTES = 24;

/** Makes a key pair for each algorithm that gateways and publishers verify. */
const PAIRS = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
} as const;
type PairAlgorithm = keyof typeof PAIRS;

interface KeysOptions {
  readonly algorithm: 'HS256' | PairAlgorithm;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  leque keys > .env                      a secret for tokens, and a key to publish with
  leque keys --algorithm ES256 --json    a key pair; the private key is for the issuer of tokens

Exit codes: 0 done; 2 wrong options.`;

/** Makes the keys that gateways and publishers verify their callers with. */
export function keysCommand(): Command {
  const algorithms = ['HS256', ...Object.keys(PAIRS)];
  return new Command('keys')
    .description('make keys: for signing tokens, and for services that publish')
    .addOption(
      new Option('--algorithm <name>', 'algorithm that signs the tokens')
        .choices(algorithms)
        .default('HS256'),
    )
    .option('--json', 'print a JSON object instead of lines for the environment')
    .addHelpText('after', EXAMPLES)
    .action(({ algorithm, json = false }: KeysOptions) =>
      runCommand(() => {
        const keys = makeKeys(algorithm);
        print(json ? JSON.stringify(keys, null, 2) : toLines(keys));
        return EXIT.done;
      }),
    );
}

/** Keys by the names of their environment variables; `JWT_PRIVATE_KEY` is for the issuer alone. */
export function makeKeys(algorithm: KeysOptions['algorithm']): Readonly<Record<string, string>> {
  const PUBLISH_API_KEYS = randomBytes(API_KEY_BYTES).toString('base64url');
  if (algorithm === 'HS256') {
    return { JWT_SECRET: randomBytes(SECRET_BYTES).toString('base64url'), PUBLISH_API_KEYS };
  }
  const { publicKey, privateKey } = PAIRS[algorithm]();
  return {
    JWT_PUBLIC_KEY: String(publicKey.export({ type: 'spki', format: 'pem' })),
    JWT_PRIVATE_KEY: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    PUBLISH_API_KEYS,
  };
}

/** Quotes PEM, because shells and `.env` files need quotes around several lines. */
function toLines(keys: Readonly<Record<string, string>>): string {
  return Object.entries(keys)
    .map(([name, value]) =>
      value.includes('\n') ? `${name}="${value.trim()}"` : `${name}=${value}`,
    )
    .join('\n');
}
