import type { InputBudget } from '@leque/core';
import { type EngineSocket, engineOf } from './private-fields.ts';

const SEPARATOR = '\x1e';
const SEPARATOR_CODE = 0x1e;
/** Time for a client to fetch its close packet; Engine.IO itself would wait 30 s. */
const CLOSE_MS = 3000;

/** A connection whose packets arrive in the bodies of requests. */
export type PollingConnection = EngineSocket & {
  /** Undefined once the client has changed to a WebSocket. */
  readonly input: InputBudget | undefined;
  readonly stopped: boolean;
  /** Closes a client that goes on sending more than its budget. */
  flooded(): void;
};

/**
 * Charges a polling client for all packets of a body before the first one is parsed, and parses them one by
 * one. No packet is parsed when the body is far above the budget, or after a verdict on the client.
 * Engine.IO itself parses the whole body first. Engine.IO 3 has another format, whose packets are charged
 * as they are parsed.
 */
export function gatePolling(conn: PollingConnection): void {
  const { transport } = engineOf(conn);
  transport.closeTimeout = CLOSE_MS;
  if (conn.protocol === 3) return;
  const parse = transport.onData.bind(transport);
  transport.onData = (body) => {
    const text = String(body);
    if (mayParse(conn, text)) parseEach(conn, text, parse);
  };
}

function mayParse(conn: PollingConnection, body: string): boolean {
  const { input } = conn;
  if (input === undefined) return true;
  input.take(countPackets(body), body.length);
  if (input.verdict() !== 'close') return true;
  conn.flooded();
  return false;
}

function parseEach(conn: PollingConnection, body: string, parse: (packet: string) => void): void {
  for (let start = 0; start <= body.length && !isEnding(conn); ) {
    const at = body.indexOf(SEPARATOR, start);
    const end = at === -1 ? body.length : at;
    parse(body.slice(start, end));
    start = end + 1;
  }
}

function isEnding({ readyState, stopped }: PollingConnection): boolean {
  return stopped || readyState !== 'open';
}

/** Counts separators; a body without one holds one packet. */
function countPackets(body: string): number {
  let packets = 1;
  for (let at = 0; at < body.length; at += 1) {
    if (body.charCodeAt(at) === SEPARATOR_CODE) packets += 1;
  }
  return packets;
}
