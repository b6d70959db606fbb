import { Type } from 'typebox';

export const DrainSettings = Type.Object({
  DRAIN_GRACE: Type.Number({
    default: 5,
    minimum: 0,
    description:
      'seconds in which a process that is to end goes on as before, but is not ready: until no ' +
      'load balancer sends anybody here any more',
  }),
});
