import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Deadline, type GrantSigner } from '@leque/core';
import {
  GRANT_TTL_S,
  GrantRequest,
  GrantsAnswer,
  ProtocolError,
  projectChannel,
  toCursor,
  tryReadId,
} from '@leque/protocol';
import { Type } from 'typebox';
import { described, failures } from './answers.ts';
import { invalidField } from './channel-field.ts';
import type { PublisherContext } from './context.ts';

const schema = {
  operationId: 'createGrants',
  summary: 'Let a user hear projects for a while',
  description:
    'Answers a grant for each project: a JWT that the user presents when it subscribes, beside its ' +
    'token. `cursor` is where the channel stood before the answer, so a state that is read after this ' +
    'request is followed by everything since. Needs an API key, or a token with the scope grant. Each ' +
    'project counts like an event in the rate limit.',
  tags: ['rights'],
  body: Type.Object(GrantRequest.properties, {
    additionalProperties: false,
    examples: [{ user_id: 'user-uuid', projects: ['board:9'], ttl: 600 }],
  }),
  response: {
    200: described(GrantsAnswer, 'The grants, in the order of the projects.'),
    ...failures,
  },
};

const NO_KEY =
  'this publisher has no secret to sign grants with; it needs GRANT_SECRET, or JWT_SECRET. ' +
  'Applications can sign grants with the key of their tokens';

/** Makes grants for applications that let a user into rooms (GR1). */
export const grantsRoute: FastifyPluginAsyncTypebox<PublisherContext> = async (app, context) => {
  const { broker, limits, authority, rates, clock } = context;
  const options = { onRequest: authority.require('grant'), schema };
  app.post('/grants', options, async (request, reply) => {
    const signer = signerOf(context);
    const { user_id, projects: given, ttl = GRANT_TTL_S } = request.body;
    const userId = String(user_id);
    const projects = distinct(given);
    rates.charge(request, reply, projects.length - 1);
    const expiresAt = endAfter(clock.now(), ttl);
    using deadline = new Deadline(limits.answerWithinMs);
    const making = projects.map(async (project_id) => {
      const position = await broker.top(projectChannel(project_id));
      const grant = await signer.sign({ userId, projects: [project_id], expiresAt });
      const cursor = position === undefined ? {} : { cursor: toCursor(position) };
      return { project_id, grant, ...cursor, expires_at: new Date(expiresAt).toISOString() };
    });
    return { grants: await deadline.settle(Promise.all(making)) };
  });
};

/** @throws ProtocolError `not_found` where grants cannot be made */
function signerOf({ grantSigner }: PublisherContext): GrantSigner {
  if (grantSigner === undefined) throw new ProtocolError('not_found', NO_KEY);
  return grantSigner;
}

/** @throws RequestError that names the project which is named twice, as a number or as a text */
function distinct(given: GrantRequest['projects']): readonly string[] {
  const projects = given.map((id) => tryReadId(id) ?? '');
  const again = projects.findIndex((id, at) => projects.indexOf(id) < at);
  if (again === -1) return projects;
  throw invalidField(`projects.${again}`, `names ${projects[again]} a second time`);
}

/** A JWT ends at a whole second. */
function endAfter(now: number, ttl: number): number {
  return (Math.floor(now / 1000) + ttl) * 1000;
}
