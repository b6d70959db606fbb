import type { Target } from '../target.ts';
import { centrifugo } from './centrifugo.ts';
import { fastify } from './fastify.ts';
import { floor } from './floor.ts';
import { mercure } from './mercure.ts';
import { nats } from './nats.ts';
import { nchan } from './nchan.ts';
import { socketIo, socketIoLocal, socketIoSharded } from './socketio.ts';
import { uws } from './uws.ts';
import { ws } from './ws.ts';

/** What Leque is measured against; the floor is no product, but the least that anything costs. */
export const PEERS: readonly Target[] = [
  floor,
  ws,
  uws,
  socketIo,
  socketIoSharded,
  socketIoLocal,
  nats,
  nchan,
  centrifugo,
  mercure,
  fastify,
];
