import {
  type Examples,
  examplesOf,
  printLines,
  VERSION,
  webSocketOf,
} from '../dev/lines-to-try.ts';

export interface ClusterBanner extends Examples {
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
    `  Redis       ${redisUrl}`,
    '',
    `  Try it      ${docs}/docs/listen`,
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

/** redis-cli knows no sentinels, and needs only one server of a Redis Cluster. */
function redisCli(url: string): string {
  if (url.includes('+sentinel:')) return 'redis-cli -h THE_MASTER';
  if (!url.includes('+cluster:')) return `redis-cli -u ${url}`;
  return `redis-cli -c -u ${url.replace('+cluster', '').replace(/,.*$/, '')}`;
}
