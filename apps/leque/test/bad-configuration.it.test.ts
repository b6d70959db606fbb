import { type Env, freePorts, RunningProcess, startLeque } from '@leque/testkit';
import { describe, expect, test } from 'vitest';

describe('wrong configuration', () => {
  const WRONG: Env = {
    PORT: 'abc',
    AUTH_MODE: 'maybe',
    REDIS_URL: 'ftp://nowhere',
    NODE_ID: 'a b',
  };

  test.for([
    ['apps/leque/src/main.ts', ['dev']],
    ['apps/gateway/src/main.ts', []],
    ['apps/publisher/src/main.ts', []],
  ] as const)('%s refuses to start and lists every problem at once', async ([entry, args]) => {
    const { code, output } = await runToEnd(entry, args, WRONG);
    expect(code).toBe(2);
    for (const variable of Object.keys(WRONG)) expect(output).toContain(variable);
    expect(output).not.toMatch(/^\s+at /m); // a list for an operator, not a stack
  });

  test.for(['gateway', 'publisher'])(
    '%s without a key for tokens refuses to start',
    async (app) => {
      const { code, output } = await runToEnd(`apps/${app}/src/main.ts`, [], {
        PORT: String(await freePorts(1)),
        REDIS_URL: 'redis://127.0.0.1:1',
        NODE_ENV: 'production',
      });
      expect(code).toBe(2);
      expect(output).toContain('JWT_SECRET');
    },
  );

  test('`leque cluster` refuses a wrong BASE_PORT before it starts anything', async () => {
    const entry = 'apps/leque/src/main.ts';
    const { code, output } = await runToEnd(entry, ['cluster'], { BASE_PORT: 'abc' });
    expect(code).toBe(2);
    expect(output).toContain('BASE_PORT must be a whole number from 1 to 65000, and is "abc"');
    expect(output).not.toContain('Redis ');
  });

  test('`leque dev` names a misspelt variable, and starts', async () => {
    const env = { WEBSOCKET_MAX_CONECTIONS: '5', AUTH_MOD: 'open', PATHS: '/bin' };
    await using server = await startLeque(env);
    expect(server.output.split('\n').filter((line) => line.startsWith('warning'))).toEqual([
      'warning: WEBSOCKET_MAX_CONECTIONS is not read; did you mean WEBSOCKET_MAX_CONNECTIONS?',
      'warning: AUTH_MOD is not read; did you mean AUTH_MODE?',
    ]);
  });

  test('`leque dev` refuses to start in production without a secret', async () => {
    const env = { PORT: String(await freePorts(1)), SOCKETIO_PORT: '0', NODE_ENV: 'production' };
    const { code, output } = await runToEnd('apps/leque/src/main.ts', ['dev'], env);
    expect(code).toBe(2);
    expect(output).toContain('JWT_SECRET');
  });
});

async function runToEnd(
  entry: string,
  args: readonly string[],
  env: Env,
): Promise<{ code: number | null; output: string }> {
  await using running = new RunningProcess(entry, args, env);
  const patience = setTimeout(() => running.signal('SIGKILL'), 10_000);
  const { code } = await running.exited.finally(() => clearTimeout(patience));
  return { code, output: running.output };
}
