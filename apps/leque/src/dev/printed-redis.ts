import { parseRedisUrl } from '@leque/broker-redis';

const USER_OF_PASSWORD_ALONE = 'default';

/** The servers that REDIS_URL names, without its user and password. */
export function redisHosts(url: string): string {
  const address = parseRedisUrl(url);
  const hosts = address.kind === 'server' ? [address] : address.hosts;
  const name = address.kind === 'sentinel' ? `/${address.name}` : '';
  return hosts.map(hostAndPort).join(',') + name;
}

/** The command to paste; a word stands for the password. */
export function redisCli(url: string): string {
  const address = parseRedisUrl(url);
  // redis-cli knows no sentinels, and needs only one server of a Redis Cluster.
  if (address.kind === 'sentinel') return 'redis-cli -h THE_MASTER';
  const { username, password, tls } = address;
  const [host] = address.kind === 'server' ? [address] : address.hosts;
  const user = encodeURIComponent(username ?? USER_OF_PASSWORD_ALONE);
  const access = password === undefined ? '' : `${user}:PASSWORD@`;
  const scheme = tls === undefined ? 'redis' : 'rediss';
  const cluster = address.kind === 'cluster' ? ' -c' : '';
  return `redis-cli${cluster} -u ${scheme}://${access}${host === undefined ? '' : hostAndPort(host)}`;
}

function hostAndPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
