import { Command } from 'commander';
import { EXIT } from '../api/exit.ts';
import type { TokenOptions } from '../api/make-token.ts';
import { print, printError } from '../api/print.ts';
import { runCommand } from '../api/run-command.ts';
import { doubtAbout } from '../api/token-to-make.ts';

const EXAMPLES = `
Examples:
  leque token --user alice --projects PROJ-001
  JWT_SECRET=… leque token --user ops --scope admin --ttl 600 --json

Signed with JWT_SECRET, or without any key with the secret of leque dev on this machine. JWT_ISSUER and
JWT_AUDIENCE become claims of the token; JWT_ALGORITHMS and JWT_USER_CLAIM, JWT_PROJECTS_CLAIM and
JWT_SCOPE_CLAIM count as at servers.

Exit codes: 0 done; 1 there is no secret to sign with; 2 wrong options.`;

/** Prints a token, as the sign-in of an application would make one. */
export function tokenCommand(env: NodeJS.ProcessEnv): Command {
  return new Command('token')
    .description('print a token for a user')
    .requiredOption('--user <id>', 'user that the token is for')
    .option('--projects <ids>', 'comma-separated projects that the user may see; * for all', '')
    .option(
      '--scope <scopes>',
      'comma-separated scopes: publish (to its user and projects), publish:all, grant, stats, logs, admin',
      '',
    )
    .option('--ttl <seconds>', 'seconds until the token expires', '86400')
    .option('--json', 'print a JSON object that has the time of expiry, too')
    .addHelpText('after', EXAMPLES)
    .action((options: TokenOptions & { readonly json?: boolean }) =>
      runCommand(async () => {
        const { makeToken } = await import('../api/make-token.ts');
        const { token, expiresAt } = await makeToken(options, env);
        for (const option of ['user', 'projects'] as const) {
          const doubt = doubtAbout(`--${option}`, options[option]);
          if (doubt !== undefined) printError(doubt);
        }
        print(options.json ? JSON.stringify({ token, expires_at: expiresAt }) : token);
        return EXIT.done;
      }),
    );
}
