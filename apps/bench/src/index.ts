export { bench } from './command/bench-command.ts';
export type { BenchArguments } from './command/options.ts';
