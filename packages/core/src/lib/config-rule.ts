/**
 * A rule over several configuration variables. It returns one sentence for each problem, and is
 * also called for configurations that the schema refused, so that all problems are reported at
 * once.
 */
export type ConfigRule<C> = (config: C) => readonly string[];
