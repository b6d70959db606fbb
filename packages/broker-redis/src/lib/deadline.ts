/** Milliseconds; below a second, so that a caller who waits for Redis gets an answer within one. */
export const COMMAND_DEADLINE_MS = 800;
