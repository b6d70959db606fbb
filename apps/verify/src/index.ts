export { verify } from './main.ts';
export type { VerifyArguments } from './options.ts';
