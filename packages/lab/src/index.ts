export { get, post } from './clients/http.ts';
export { Inbox } from './clients/inbox.ts';
export { type Envelope, RawClient, wsUrl } from './clients/raw-client.ts';
export {
  CLIENTS,
  type ClientVersion,
  SocketClient,
  type SocketOptions,
  type Transport,
} from './clients/socket-client.ts';
export {
  expiredTokenFor,
  hs256,
  inSeconds,
  rsaSigner,
  tokenFor,
  unsigned,
} from './clients/tokens.ts';
export { printer } from './printer.ts';
export {
  COLLECTING_SERVER,
  collectGarbage,
  PeakMemory,
  steadyResidentKb,
} from './probes/memory.ts';
export { cpuMicroseconds, openFileLimit, residentKb } from './probes/process-usage.ts';
export { RedisProbe } from './probes/redis-probe.ts';
export { respCommand } from './probes/resp.ts';
export { descendantsOf, isAlive } from './processes/descendants.ts';
export { INTERRUPTED_EXIT_CODE, Interruption } from './processes/interruption.ts';
export { leque } from './processes/leque-command.ts';
export { type CommandLine, PeerProcess } from './processes/peer-process.ts';
export { ProcessGroup } from './processes/process-group.ts';
export { program, programs } from './processes/programs.ts';
export {
  publish,
  type Server,
  type StartSystem,
  type System,
  startClustered,
  startEmbedded,
} from './processes/systems.ts';
export { fillTemplate, type TemporaryFile } from './template.ts';
