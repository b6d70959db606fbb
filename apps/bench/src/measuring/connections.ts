import type { ClientKind, Member } from '../load/generator-spec.ts';
import type { Format, RunningTarget, Target } from '../targets/target.ts';
import type { Mix } from '../workloads/setups.ts';

const SOCKETIO: Format = 'socketio';

/** The requests of a run's connections, grouped by the bytes that they receive. */
export interface Clients {
  readonly kinds: readonly ClientKind[];
  readonly members: readonly Member[];
  /** Bytes to send when the payload of a text frame equals the key. */
  readonly replies: Readonly<Record<string, Buffer>>;
}

export interface ClientMix {
  readonly connections: number;
  readonly channelsOf: (connection: number) => readonly number[];
  readonly formats: readonly Format[];
}

/**
 * The formats of a target's clients in a mix; connections use them in turn.
 * @returns undefined when the target does not support the mix
 */
export function formatsOf(target: Pick<Target, 'formats'>, mix: Mix): Format[] | undefined {
  const { formats } = target;
  const raw = formats.find((format) => format !== SOCKETIO);
  const socketio = formats.find((format) => format === SOCKETIO);
  const needed: (Format | undefined)[] = {
    raw: [raw],
    socketio: [socketio],
    half: [raw, socketio],
  }[mix];
  return needed.every((format) => format !== undefined) ? needed : undefined;
}

export function describeClients(
  server: Pick<RunningTarget, 'client'>,
  clientMix: ClientMix,
): Clients {
  const { connections, channelsOf, formats } = clientMix;
  const kinds = new Map<string, { index: number; kind: ClientKind }>();
  const replies: Record<string, Buffer> = {};
  const members = Array.from({ length: connections }, (_, connection): Member => {
    const format = connection % formats.length;
    const channels = channelsOf(connection);
    const script = server.client(formats[format] ?? '', channels, connection);
    Object.assign(replies, script.replies);
    const { request, afterUpgrade, ready } = script;
    const key = [request, afterUpgrade, ready].map((part) => part.toString('latin1')).join('\0');
    const index = kinds.get(key)?.index ?? kinds.size;
    kinds.set(key, { index, kind: { request, afterUpgrade, ready } });
    return { kind: index, format, channels };
  });
  return { kinds: [...kinds.values()].map(({ kind }) => kind), members, replies };
}
