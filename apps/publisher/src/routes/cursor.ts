import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Deadline, type Grants } from '@leque/core';
import { CursorAnswer, ProtocolError, toCursor } from '@leque/protocol';
import { Type } from 'typebox';
import { described, failures } from './answers.ts';
import { CHANNELS, checkChannel } from './channel-field.ts';
import type { PublisherContext } from './context.ts';

const schema = {
  operationId: 'readCursor',
  summary: 'Read where a channel stands',
  description:
    'A state that is read after this request is followed by everything since the cursor. A channel ' +
    'that nobody has published to has a cursor, too. Needs the right to publish to the channel, or to ' +
    'receive from it.',
  tags: ['history'],
  params: Type.Object({
    channel: Type.String({
      description: `channel to ask about: ${CHANNELS}`,
      examples: ['project:PROJ-001'],
    }),
  }),
  response: { 200: described(CursorAnswer, 'The position of the channel.'), ...failures },
};

/** Answers `GET /api/channels/{channel}/cursor`. */
export const cursorRoute: FastifyPluginAsyncTypebox<PublisherContext> = async (app, context) => {
  const { broker, limits, authority } = context;
  app.get('/channels/:channel/cursor', { schema }, async (request, reply) => {
    const { grants } = await authority.identify(request, reply);
    const { channel } = request.params;
    checkChannel(channel);
    assertKnows(grants, channel);
    using deadline = new Deadline(limits.answerWithinMs);
    const position = await deadline.settle(broker.top(channel));
    return { channel, ...(position !== undefined && { cursor: toCursor(position) }) };
  });
};

/** @throws ProtocolError `forbidden` */
function assertKnows(grants: Grants, channel: string): void {
  if (grants.mayPublish(channel) || grants.covers(channel)) return;
  throw new ProtocolError('forbidden', `this token does not allow ${channel}`);
}
