import type { Commands, Reply, Request } from './commands.ts';

/** Answers what the process that has started this one asks, and ends with it. */
export function serve(commands: Commands): void {
  process.on('message', (request: Request) => {
    // Nobody listens any more where that fails, and `disconnect` follows.
    void answer(commands, request).then((reply) => process.send?.(reply, () => {}));
  });
  process.once('disconnect', () => process.exit(0));
  // A terminal sends these to everybody; here the one that asks decides.
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
