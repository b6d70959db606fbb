import { randomBytes } from 'node:crypto';
import type { Telemetry } from '@leque/core';
import { RecoveryIds } from '@leque/transport-socketio';
import type { GatewaySettings } from './settings.ts';

/** The state that a client presents has to fit into one message, beside its token. */
const MIN_MESSAGE_BYTES = 32_768;
const OWN_SECRET_BYTES = 32;

/**
 * Makes the ids with which Socket.IO clients come back; undefined when they cannot.
 * @param isAlone whether there is no other node that they could come back to
 */
export function recoveryIds(
  settings: GatewaySettings,
  telemetry: Telemetry,
  isAlone: boolean,
): RecoveryIds | undefined {
  if (settings.SOCKETIO_RECOVERY === 'off') return undefined;
  const warn = (detail: string) =>
    telemetry.report({ type: 'degraded', part: 'socketio_recovery', detail });
  if (settings.WEBSOCKET_MAX_MESSAGE_SIZE < MIN_MESSAGE_BYTES) {
    warn(`off, because WEBSOCKET_MAX_MESSAGE_SIZE is less than ${MIN_MESSAGE_BYTES}`);
    return undefined;
  }
  const secret = settings.SOCKETIO_RECOVERY_SECRET ?? settings.JWT_SECRET;
  if (secret === undefined && !isAlone) {
    warn('on one node only, because neither SOCKETIO_RECOVERY_SECRET nor JWT_SECRET is set');
  }
  const { SOCKETIO_RECOVERY_SECRET: own, JWT_SECRET_NEXT: next } = settings;
  const others = own === undefined && next !== undefined ? [next] : [];
  return new RecoveryIds(secret ?? randomBytes(OWN_SECRET_BYTES), ...others);
}
