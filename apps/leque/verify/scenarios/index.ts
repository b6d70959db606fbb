import type { Scenario } from '../scenario.ts';
import { killGateway } from './kill-gateway.ts';

/** All there are, in the order in which they are run. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'kill-gateway',
    about: 'kill -9 of one gateway of three, again and again',
    breaks: 'system',
    resyncs: 'never',
    run: killGateway(3),
  },
];

/** Quick ones, for `--short`. */
export const SHORT_SCENARIOS: readonly Scenario[] = [
  {
    name: 'kill-gateway',
    about: 'kill -9 of one gateway of three',
    breaks: 'system',
    resyncs: 'never',
    run: killGateway(1),
  },
];
