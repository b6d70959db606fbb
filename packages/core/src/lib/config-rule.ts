/**
 * A rule over several configuration variables: returns one sentence for each problem. It also sees
 * configurations that the schema refused, so that all problems are reported at once.
 */
export type ConfigRule<C> = (config: C) => readonly string[];
