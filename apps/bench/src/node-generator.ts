import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Crowd } from './node-load/crowd.ts';
import { readSpec } from './node-load/read-spec.ts';
import { type RunOptions, run } from './node-load/run.ts';

/**
 * The load generator where there is no C compiler: `node-generator.ts SPEC_FILE`. The same spec and
 * lines as native/load.c, but it parses everything and publishes from the same thread: good for
 * about a thousand connections.
 */
async function main([specFile = '']: string[]): Promise<void> {
  const lines = createInterface({ input: process.stdin });
  lines.once('close', () => process.exit(0)); // nobody is there to read the results
  const spec = readSpec(specFile);
  const crowd = new Crowd(spec);
  const options = { spec, crowd, numbers: spec.templates.map(() => 0), print };
  print(await crowd.open());
  for await (const line of lines) await carryOut(options, line.split(' '));
}

async function carryOut(options: RunOptions, [command, ...args]: string[]): Promise<void> {
  if (command === 'run') await run(options, args);
  else if (command === 'hold') await hold(options, Number(args[0]));
  else if (command === 'quit') process.exit(0);
  else throw new Error(`unknown command: ${command}`);
}

async function hold({ crowd }: RunOptions, seconds: number): Promise<void> {
  const before = crowd.frames;
  await delay(seconds * 1000);
  print({ event: 'held', closed: crowd.closed, frames: crowd.frames - before });
}

function print(event: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

await main(process.argv.slice(2)).catch((error: Error) => {
  print({ event: 'error', message: error.message });
  process.exit(1);
});
