import { adapterKey } from '../connection/adapter-connection.ts';
import { CONNECTIONS, StateKeys } from '../connection/state-keys.ts';

/** A command of Redis with names as a process uses them, to find out whether it is allowed. */
export type Sample = readonly [command: string, ...args: string[]];

/** The process whose rights are asked for. */
export interface Rights {
  readonly app: 'gateway' | 'publisher';
  /** REDIS_KEY_PREFIX */
  readonly prefix: string;
  readonly inCluster: boolean;
}

/** Lists one command of each kind that a process runs, directly or in Leque's functions. */
export function neededCommands({ app, prefix, inCluster }: Rights): readonly Sample[] {
  const names = namesUnder(prefix);
  return [
    ...commandsOfAll(names, inCluster),
    ...(app === 'gateway'
      ? commandsOfGateway(names, inCluster)
      : commandsOfPublisher(names, inCluster)),
  ];
}

/** Describes each command once, with the keys or channels that it is needed for. */
export function describeCommands(commands: readonly Sample[], prefix: string): string[] {
  const isName = (word: string) => word.startsWith(prefix) || word.startsWith('socket.io');
  const names = new Map<string, Set<string>>();
  for (const [command, ...args] of commands) {
    const named = args.filter(isName);
    const verb = named.length > 0 ? command : [command, ...args].join(' ').trim();
    names.set(verb, new Set([...(names.get(verb) ?? []), ...named]));
  }
  return [...names].map(([verb, of]) => [verb, ...of].join(' '));
}

type Names = ReturnType<typeof namesUnder>;

function namesUnder(prefix: string) {
  const state = new StateKeys(prefix);
  const channel = `${prefix}{project:check}`;
  return {
    channel,
    log: `${channel}:log`,
    meta: `${channel}:meta`,
    idempotency: `${channel}:idem:check`,
    dataSet: `${prefix}data-set`,
    firehose: `${prefix}firehose`,
    control: `${prefix}control`,
    answers: `${prefix}control:check`,
    probe: `${prefix}{node:check}`,
    signal: state.userSignal('check'),
    nodes: state.nodes,
    totals: state.totals,
    counts: state.counts('check', CONNECTIONS),
    adapter: adapterKey(prefix),
  };
}

function commandsOfAll(names: Names, inCluster: boolean): Sample[] {
  const { channel, log, meta, dataSet, nodes, totals, counts, control, answers } = names;
  return [
    ['PING'],
    ['CLIENT', 'SETNAME', 'check'],
    ['INFO', 'server', 'replication'],
    ['TIME'],
    ['FUNCTION', 'LIST'],
    ['FUNCTION', 'LOAD', ''],
    ['FCALL', 'leque_position', '1', channel],
    ['EXISTS', meta, log],
    ['HMGET', meta, 'epoch'],
    ['HGET', meta, 'first'],
    ['GET', dataSet],
    ['HSET', meta, 'epoch', ''],
    ['DEL', meta, log],
    ['PEXPIRE', meta, '1'],
    ['XRANGE', log, '-', '+'],
    ['XREVRANGE', log, '+', '-'],
    ['ZRANGEBYSCORE', nodes, '-inf', '+inf'],
    ['HGETALL', totals],
    ['HINCRBY', totals, 'check', '0'],
    ['HGET', counts, 'check'],
    ['PUBLISH', control, ''],
    ['PUBLISH', answers, ''],
    ['SUBSCRIBE', control, answers],
    ...(inCluster ? COMMANDS_IN_CLUSTER : []),
  ];
}

const COMMANDS_IN_CLUSTER: readonly Sample[] = [
  ['CLUSTER', 'INFO'],
  ['CLUSTER', 'SLOTS'],
];

function commandsOfPublisher(names: Names, inCluster: boolean): Sample[] {
  const { channel, log, idempotency, dataSet, firehose } = names;
  return [
    ['GET', idempotency],
    ['SET', idempotency, ''],
    ['SET', dataSet, ''],
    ['XADD', log, '*', 'check', ''],
    ['XTRIM', log, 'MAXLEN', '1'],
    ['PUBLISH', firehose, ''],
    [inCluster ? 'SPUBLISH' : 'PUBLISH', channel, ''],
  ];
}

function commandsOfGateway(names: Names, inCluster: boolean): Sample[] {
  const { channel, firehose, nodes, counts, probe, signal, adapter } = names;
  const [publish, subscribe, unsubscribe] = inCluster
    ? (['SPUBLISH', 'SSUBSCRIBE', 'SUNSUBSCRIBE'] as const)
    : (['PUBLISH', 'SUBSCRIBE', 'UNSUBSCRIBE'] as const);
  return [
    ['FCALL', 'leque_probe', '1', probe],
    [publish, probe, ''],
    [publish, signal, ''],
    ...[channel, probe, signal].map((name): Sample => [subscribe, name]),
    [unsubscribe, channel],
    ['SUBSCRIBE', firehose],
    ['ZSCORE', nodes, 'check'],
    ['ZADD', nodes, '0', 'check'],
    ['ZREM', nodes, 'check'],
    ['ZREMRANGEBYSCORE', nodes, '-inf', '0'],
    ['HDEL', counts, 'check'],
    ['UNLINK', counts],
    ...commandsOfAdapter(adapter),
  ];
}

/** See https://github.com/socketio/socket.io-redis-adapter/blob/main/lib/index.ts */
function commandsOfAdapter(key: string): Sample[] {
  return ['#/#', '#/events#'].flatMap((namespace): Sample[] => {
    const channel = `${key}${namespace}`;
    const asked = ['request', 'response'].map((kind) => `${key}-${kind}${namespace}`);
    return [
      ['PSUBSCRIBE', `${channel}*`],
      ['PUBLISH', channel, ''],
      ...asked.map((name): Sample => ['SUBSCRIBE', name]),
      ...asked.map((name): Sample => ['PUBLISH', name, '']),
    ];
  });
}
