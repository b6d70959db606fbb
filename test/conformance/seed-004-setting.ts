import { SocketClient, type SocketOptions, type System, tokenFor } from '@leque/lab';

/** A running system, and how its clients connect. */
export interface Setting {
  system(): System;
  connect(user: string, options?: SocketOptions): Promise<SocketClient>;
  readonly options: Required<Pick<SocketOptions, 'client' | 'transport'>>;
}

export function settingOf(system: () => System, options: Setting['options']): Setting {
  return {
    system,
    options,
    connect: (user, more) =>
      SocketClient.connect(system().node.url, { token: tokenFor(user), ...options, ...more }),
  };
}
