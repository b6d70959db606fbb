import { listenPage } from '../dev/addresses.ts';
import {
  type Examples,
  examplesOf,
  printLines,
  VERSION,
  webSocketOf,
} from '../dev/lines-to-try.ts';
import { redisCli, redisHosts } from '../dev/printed-redis.ts';

export interface ClusterBanner extends Examples {
  /** Never printed as it is: a password may be in it. */
  readonly redisUrl: string;
  /** URL of the publisher itself, beside the one address of all. */
  readonly publisher: string;
  readonly gateways: readonly { readonly url: string; readonly pid: number | undefined }[];
}

/** Prints the addresses, the pid of each gateway so that one can be killed, and what to try. */
export async function printClusterBanner(banner: ClusterBanner): Promise<void> {
  const { redisUrl, docs, gateways, gateway, authMode } = banner;
  const count = `${gateways.length} gateways`;
  printLines([
    `Leque is ready (version ${VERSION}, ${count}, AUTH_MODE=${authMode})`,
    '',
    `  All of it   ${gateway}`,
    ...gateways.map(({ url, pid }, index) => `  Gateway ${index + 1}   ${url}   pid ${pid}`),
    `  Publisher   ${banner.publisher}`,
    `  Redis       ${redisHosts(redisUrl)}`,
    '',
    `  Try it      ${listenPage(docs, gateway)}`,
    `  HTTP API    ${docs}/docs`,
    `  WebSocket   ${webSocketOf(gateway)}/ws/notifications`,
    `  Socket.IO   io('${gateway}/events')`,
    '',
    ...(await examplesOf(banner)),
    'Publish straight to Redis, from any client:',
    '',
    `  ${redisCli(redisUrl)} FCALL leque_publish 1 \\`,
    `    'leque:{project:PROJ-001}' '{"type":"story_deleted",`,
    `    "data":{"story_id":"STR-1"}}' my-key`,
    '',
    'Kill a gateway while a client listens. The client goes on at another one, and',
    'misses nothing:',
    '',
    `  ./leque tail project:PROJ-001 --url ${gateway}`,
    `  kill -9 ${gateways[0]?.pid}`,
    '',
    'Ctrl-C stops it. README.md goes on from here.',
    '',
  ]);
}
