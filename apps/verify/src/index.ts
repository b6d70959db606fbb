export type { VerifyArguments } from './command/options.ts';
export { verify } from './command/verify-command.ts';
