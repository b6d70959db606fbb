import { isDeeperThan, MAX_DEPTH, ProtocolError, type ServerMessage } from '@leque/protocol';

/** What a session does for its client; each gives what the confirmation says beside the time. */
export interface Commanded {
  readonly clientId: string;
  subscribeTasks(): Promise<object>;
  unsubscribeTasks(): object;
  subscribeProject(sent: unknown): Promise<object>;
  unsubscribeProject(sent: unknown): object;
  authenticate(sent: unknown): Promise<object>;
}

interface SocketIoCommand {
  /** The name of the answer. */
  readonly confirmation: ServerMessage;
  handle(io: Commanded, sent: unknown): object | Promise<object>;
}

export const COMMANDS: ReadonlyMap<string, SocketIoCommand> = new Map(
  Object.entries({
    ping: {
      confirmation: 'pong',
      handle: (io, sent) => ({ ...echoOf(sent), clientId: io.clientId }),
    },
    'subscribe.tasks': {
      confirmation: 'subscribed.tasks',
      handle: (io) => io.subscribeTasks(),
    },
    'unsubscribe.tasks': {
      confirmation: 'unsubscribed.tasks',
      handle: (io) => io.unsubscribeTasks(),
    },
    'subscribe.project': {
      confirmation: 'subscribed.project',
      handle: (io, sent) => io.subscribeProject(sent),
    },
    'unsubscribe.project': {
      confirmation: 'unsubscribed.project',
      handle: (io, sent) => io.unsubscribeProject(sent),
    },
    auth: {
      confirmation: 'authenticated',
      handle: (io, sent) => io.authenticate(sent),
    },
  } satisfies Record<string, SocketIoCommand>),
);

export function unknownCommand(name: unknown): ProtocolError {
  const known = [...COMMANDS.keys()].join(', ');
  const said = String(name).slice(0, 64);
  return new ProtocolError('unknown_action', `no event "${said}"; known are ${known}`);
}

/** @throws ProtocolError where no JSON could be made of it again */
function echoOf(sent: unknown): Record<string, unknown> {
  if (!isDeeperThan(sent, MAX_DEPTH)) return asObject(sent);
  throw new ProtocolError('invalid_command', `nested more than ${MAX_DEPTH} levels deep`);
}

export function asObject(sent: unknown): Record<string, unknown> {
  return typeof sent === 'object' && sent !== null ? (sent as Record<string, unknown>) : {};
}
