import { Command } from 'commander';
import { runCommand } from '../api/api-client.ts';
import { makeToken, type TokenOptions } from '../api/make-token.ts';

const EXAMPLES = `
Examples:
  leque token --user alice --projects PROJ-001
  JWT_SECRET=… leque token --user ops --scope admin --ttl 600 --json

Signed with JWT_SECRET, or with the secret that leque dev uses on this machine.`;

/** Prints a token, as an application's own sign-in would make one. */
export function tokenCommand(env: NodeJS.ProcessEnv): Command {
  return new Command('token')
    .description('print a token for a user')
    .requiredOption('--user <id>', 'the user')
    .option('--projects <ids>', 'comma-separated projects, or *', '')
    .option('--scope <scopes>', 'comma-separated scopes: publish, stats, admin', '')
    .option('--ttl <seconds>', 'how long it is valid', '86400')
    .option('--json', 'as an object, with when it ends')
    .addHelpText('after', EXAMPLES)
    .action((options: TokenOptions & { readonly json?: boolean }) =>
      runCommand(async () => {
        const token = await makeToken(options, env);
        const endsAt = new Date(Date.now() + Number(options.ttl) * 1000).toISOString();
        console.log(options.json ? JSON.stringify({ token, expires_at: endsAt }) : token);
        return 0;
      }),
    );
}
