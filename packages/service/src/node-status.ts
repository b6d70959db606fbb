import type { Control } from '@leque/core';

/** How a process is doing, in the words of the API. Counts are since its start. */
export interface NodeStatus {
  readonly app: 'gateway' | 'publisher';
  readonly version: string;
  readonly uptime_s: number;
  /** Why it should get no traffic; empty when it should. */
  readonly unready: readonly string[];
  readonly rss_bytes: number;
  /** Of all its threads. */
  readonly cpu_ms: number;
  /** Of a gateway: now. */
  readonly connections?: number;
  /** Of a gateway: channels that somebody on it wants. */
  readonly channels?: number;
  /** Of a gateway: queued for clients. */
  readonly messages_sent?: number;
  /** Of a publisher: events. */
  readonly stored?: number;
}

export const STATUS_QUESTION = 'status';

/** The part of a status that only the app knows. */
export type AppStatus = Omit<NodeStatus, 'uptime_s' | 'rss_bytes' | 'cpu_ms' | 'unready'>;

/** Lets this process be asked how it is doing. */
export function registerNodeStatus(
  control: Control,
  status: () => AppStatus & Pick<NodeStatus, 'unready'>,
): void {
  control.answer(STATUS_QUESTION, () => {
    const { user, system } = process.cpuUsage();
    return {
      ...status(),
      uptime_s: Math.floor(process.uptime()),
      rss_bytes: process.memoryUsage.rss(),
      cpu_ms: Math.floor((user + system) / 1000),
    };
  });
}
