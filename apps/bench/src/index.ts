export { bench } from './main.ts';
export type { BenchArguments } from './options.ts';
