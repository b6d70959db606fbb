import { type Control, controlKind, residentBytes } from '@leque/core';
import { NodeStatus } from '@leque/protocol';
import { Type } from 'typebox';

/** Requests the status of every process. */
export const NODE_STATUS = controlKind('status', Type.Null(), NodeStatus);

/** The part of a status that only the app knows. */
export type AppStatus = Omit<NodeStatus, 'uptime_s' | 'rss_bytes' | 'cpu_ms' | 'unready'>;

/** Reports the status of this process to operators who request it. */
export function registerNodeStatus(
  control: Control,
  status: () => AppStatus & Pick<NodeStatus, 'unready'>,
): void {
  control.handle(NODE_STATUS, () => {
    const { user, system } = process.cpuUsage();
    return {
      ...status(),
      uptime_s: Math.floor(process.uptime()),
      rss_bytes: residentBytes(),
      cpu_ms: Math.floor((user + system) / 1000),
    };
  });
}
