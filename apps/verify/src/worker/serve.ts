import type { Commands, Reply, Request } from './commands.ts';

/** Answers the commands of the parent process, and ends with it. */
export function serve(commands: Commands): void {
  process.on('message', (request: Request) => {
    // Sending fails only when the parent is gone; `disconnect` follows.
    void answer(commands, request).then((reply) => process.send?.(reply, () => {}));
  });
  process.once('disconnect', () => process.exit(0));
  // A terminal sends these to the whole group; the parent decides.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
}

async function answer(commands: Commands, { id, command, args }: Request): Promise<Reply> {
  try {
    const run = commands[command];
    if (run === undefined) throw new Error('unknown command');
    return { id, result: await run(args as never) };
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
