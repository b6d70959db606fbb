import type { Target } from '../targets/target.ts';
import { centrifugo } from './centrifugo/centrifugo.ts';
import { fastify } from './fastify/fastify.ts';
import { floor } from './floor.ts';
import { mercure } from './mercure.ts';
import { nats } from './nats/nats.ts';
import { nchan } from './nchan/nchan.ts';
import { socketIo, socketIoLocal, socketIoSharded } from './socketio/socketio.ts';
import { uws } from './uws/uws.ts';
import { ws } from './ws/ws.ts';

/** The peers of Leque; the floor is not a product, but the least that any server costs. */
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
