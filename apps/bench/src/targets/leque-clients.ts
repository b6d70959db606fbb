import { hs256, inSeconds } from '@leque/lab';
import { projectChannel, userChannel } from '@leque/protocol';
import { channelName, projectId } from '../workloads/event.ts';
import type { ClientScript, Format } from './target.ts';
import { textFrame, upgradeRequest } from './websocket-bytes.ts';

const TOKEN_LIFETIME_S = 86_400;
/** Cursors in `auth` subscribe; events may only be sent after the namespace has answered. */
const UNKNOWN_CURSOR = 'never.0';

/** The requests of Leque's clients; each client is a separate user with its own token. */
export class LequeClients {
  readonly #address: string;
  readonly #personal: boolean;

  /** @param personal whether a channel belongs to one user, its only subscriber */
  constructor(address: string, personal: boolean) {
    this.#address = address;
    this.#personal = personal;
  }

  /** The name of a channel in Leque. */
  channelOf(channel: number): string {
    return this.#personal ? userChannel(userOf(channel)) : projectChannel(projectId(channel));
  }

  script(format: Format, channels: readonly number[], index: number): ClientScript {
    if (format === 'ws') return this.#raw(channels, index);
    if (format === 'socketio') return this.#socketIo(channels, index);
    throw new RangeError(`Leque has no clients that speak ${format}`);
  }

  #raw(channels: readonly number[], index: number): ClientScript {
    const [only] = channels;
    const path =
      !this.#personal && only !== undefined && channels.length === 1
        ? `/ws/project/${projectId(only)}`
        : '/ws/notifications';
    const Authorization = `Bearer ${this.#token(channels, index)}`;
    return {
      request: upgradeRequest(this.#address, path, { Authorization }),
      afterUpgrade: Buffer.alloc(0),
      ready: '"type":"connection"',
    };
  }

  /** Engine.IO over WebSocket alone, without the polling before it. */
  #socketIo(channels: readonly number[], index: number): ClientScript {
    const cursors = this.#personal
      ? {}
      : Object.fromEntries(channels.map((channel) => [this.channelOf(channel), UNKNOWN_CURSOR]));
    const auth = { token: this.#token(channels, index), cursors };
    return {
      request: upgradeRequest(this.#address, '/socket.io/?EIO=4&transport=websocket', {}),
      afterUpgrade: textFrame(`40/events,${JSON.stringify(auth)}`),
      ready: '42/events,["connections.count",',
      replies: { '2': textFrame('3') },
    };
  }

  #token(channels: readonly number[], index: number): string {
    const exp = inSeconds(TOKEN_LIFETIME_S);
    if (!this.#personal) {
      return hs256({ sub: userOf(index), projects: channels.map(projectId), exp });
    }
    const [own, ...others] = channels;
    if (own === undefined || others.length > 0) {
      throw new RangeError('a client has one personal channel');
    }
    return hs256({ sub: userOf(own), projects: [], exp });
  }
}

function userOf(index: number): string {
  return `U${channelName(index)}`;
}
