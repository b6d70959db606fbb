import { hasRedisServer, lossyNetworkMissing } from '@leque/testkit';
import type { Scenario } from '../run/scenario.ts';
import { nginxMissing, startNginx } from '../target/nginx.ts';
import { badLinks } from './bad-links.ts';
import { FLOOD_SIZES, FLOOD_SYSTEM, flood } from './flood.ts';
import { freezeGateway } from './freeze-gateway.ts';
import { crowdGateway, FEW_OPEN_FILES, FULL_SETTINGS } from './full-gateway.ts';
import { killGateway } from './kill-gateway.ts';
import { killPublisher } from './kill-publisher.ts';
import { breakRedisLink } from './redis/break-redis-link.ts';
import { clusterMasterKilled, sentinelFailover, slotMoved } from './redis/failovers.ts';
import { evictKeys, fillDisk } from './redis/full-redis.ts';
import { losePackets } from './redis/lose-packets.ts';
import { pauseRedis } from './redis/pause-redis.ts';
import { restartRedis } from './redis/restart-redis.ts';
import { slowHistory } from './redis/slow-history.ts';
import { rollingDeploy } from './rolling-deploy.ts';
import { STALLED_SETTINGS, stalledReaders } from './stalled-readers.ts';
import { storm } from './storm.ts';

/** Few clients and many events. */
const PUBLISHING = {
  notifications: 10,
  project: 4,
  room: 4,
  socketio: 6,
  polling: 2,
  recovering: 4,
  projectRate: 150,
};
const STORM = {
  notifications: 5000,
  project: 0,
  room: 0,
  socketio: 0,
  polling: 0,
  recovering: 0,
  longBytes: 0,
  users: 20,
  projectRate: 1,
  userRate: 1,
  clientsPerProcess: 2500,
};
/** So large that a stalled reader fills all buffers and then its outbox. */
const HEAVY_CHANNELS = { heavyBytes: 50_000, longBytes: 0 };

/** All scenarios, in the order in which they run. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'kill-gateway',
    about: 'kill -9 of one gateway of three, again and again; counts right within 10 s',
    breaks: 'system',
    resyncs: 'never',
    run: killGateway(3),
  },
  {
    name: 'freeze-gateway',
    about: 'a gateway stopped for 5 and for 20 s; beyond its lease it is not counted',
    breaks: 'system',
    resyncs: 'never',
    run: freezeGateway(5000, 20_000),
  },
  {
    name: 'redis-link',
    about: 'the Redis connection of one gateway cut, stalled and half-open, for 2, 10 and 30 s',
    breaks: 'system',
    resyncs: 'never',
    redis: 'standalone',
    run: breakRedisLink(['cut', 'stalled', 'half-open'], [2000, 10_000, 30_000]),
  },
  {
    name: 'redis-restart',
    about: 'kill -9 of a Redis with an append-only file, and restart',
    breaks: 'system',
    resyncs: 'never',
    redis: 'standalone',
    system: { appendonly: true },
    run: restartRedis,
  },
  {
    name: 'redis-empty',
    about: 'kill -9 of a Redis that comes back empty; every client is resynced',
    breaks: 'system',
    resyncs: 'all',
    redis: 'standalone',
    run: restartRedis,
  },
  {
    name: 'slow-history',
    about: 'histories cannot be read for 1.2 and 7 s while all clients come back',
    breaks: 'system',
    resyncs: 'never',
    redis: 'standalone',
    run: slowHistory(1200, 7000),
  },
  {
    name: 'paused-redis',
    about: 'Redis stopped by a signal for up to 5 s, and by CLIENT PAUSE, while clients come back',
    breaks: 'system',
    resyncs: 'never',
    redis: 'standalone',
    run: pauseRedis,
  },
  {
    name: 'full-disk',
    about:
      'a Redis whose append-only file cannot grow for 12 s, and that stalls while clients come back',
    breaks: 'system',
    resyncs: 'never',
    redis: 'standalone',
    system: { appendonly: true },
    missing: () => (hasRedisServer() ? undefined : 'it needs a redis-server on this machine'),
    run: fillDisk,
  },
  {
    name: 'evicting-redis',
    about:
      'a Redis that evicts keys of all kinds, and stalls; clients get a resync for lost events',
    breaks: 'system',
    resyncs: 'some',
    redis: 'standalone',
    sizes: { longBytes: 0 }, // they would fill the memory that is left
    run: evictKeys,
  },
  {
    name: 'packet-loss',
    about: '10 %, 30 % and all packets from and to Redis lost, while clients come back',
    breaks: 'system',
    resyncs: 'never',
    redis: 'standalone',
    system: { lossy: true },
    missing: lossyNetworkMissing,
    sizes: { longBytes: 0 }, // with these losses hardly anything else would get through
    run: losePackets,
  },
  {
    name: 'kill-publisher',
    about: 'publishers killed in the middle of batches, which are sent again with the same keys',
    breaks: 'system',
    resyncs: 'never',
    live: 'all',
    sizes: PUBLISHING,
    run: killPublisher(4),
  },
  {
    name: 'bad-links',
    about: 'the connections of all clients down for 2 s, every 15 s, for 3 minutes',
    breaks: 'links',
    resyncs: 'never',
    run: badLinks(12),
  },
  {
    name: 'storm',
    about: '5,000 clients come back at once, all with cursors; 99 % within 10 s, few Redis reads',
    breaks: 'system', // more clients than an existing system may accept
    resyncs: 'never',
    redis: 'standalone',
    sizes: STORM,
    run: storm,
  },
  {
    name: 'full',
    about: 'a gateway at its limit: those inside stay, and all other clients get in elsewhere',
    breaks: 'system',
    resyncs: 'never',
    system: { settings: FULL_SETTINGS },
    run: crowdGateway('full'),
  },
  {
    name: 'no-descriptors',
    about: 'a gateway without file descriptors: the same, and it recovers by itself',
    breaks: 'system',
    resyncs: 'never',
    system: { openFiles: FEW_OPEN_FILES },
    run: crowdGateway('no file descriptors left'),
  },
  {
    name: 'stalled-readers',
    about:
      '5 % of the clients read nothing for a minute, one of them conflated; memory stays bounded',
    breaks: 'system',
    resyncs: 'never',
    sizes: HEAVY_CHANNELS,
    system: { settings: STALLED_SETTINGS },
    run: stalledReaders,
  },
  {
    name: 'flood',
    about: 'one gateway flooded with every kind of input; its other clients hardly notice',
    breaks: 'system',
    resyncs: 'never',
    redis: 'standalone',
    sizes: FLOOD_SIZES,
    system: FLOOD_SYSTEM,
    run: flood,
  },
  {
    name: 'sentinel-failover',
    about: 'the master behind Sentinel is killed; clients are resynced for what was not replicated',
    breaks: 'system',
    resyncs: 'some',
    redis: 'sentinel',
    run: sentinelFailover,
  },
  {
    name: 'cluster-failover',
    about:
      'a master of a Redis Cluster is killed; clients are resynced for what was not replicated',
    breaks: 'system',
    resyncs: 'some',
    redis: 'cluster',
    run: clusterMasterKilled,
  },
  {
    name: 'slot-moved',
    about: 'slots of a Redis Cluster move between masters',
    breaks: 'system',
    resyncs: 'never',
    redis: 'cluster',
    run: slotMoved,
  },
  {
    name: 'rolling-deploy',
    about: 'all gateways replaced behind nginx, one after the other',
    breaks: 'system',
    resyncs: 'never',
    sizes: { polling: 0 }, // HTTP polling needs a load balancer with sticky sessions
    maxPauseMs: 3000, // two seconds, and the reconnect hint, which is spread over one second
    missing: nginxMissing,
    loadBalancer: startNginx,
    run: rollingDeploy,
  },
];

/** The quick selection for `--short`, in which one system withstands several faults. */
export const SHORT_SCENARIOS: readonly Scenario[] = [
  {
    name: 'one-of-each',
    about: 'a gateway killed, another one cut off, a publisher and Redis killed, in turn',
    breaks: 'system',
    resyncs: 'never',
    redis: 'standalone',
    system: { appendonly: true },
    run: async (context) => {
      await killGateway(1)(context);
      await breakRedisLink(['stalled'], [7000])(context);
      await killPublisher(1)(context);
      await restartRedis(context);
    },
  },
  ...SCENARIOS.filter(({ name }) => name === 'redis-empty'),
  {
    name: 'bad-links',
    about: 'the connections of all clients down for 2 s, twice',
    breaks: 'links',
    resyncs: 'never',
    run: badLinks(2, 5000),
  },
];
