import { constants, inflateRawSync } from 'node:zlib';
import { ByteClient, clientFrame, type ServerFrame } from '@leque/testkit';

export const PONG = 10;
const TEXT = 1;
const PATH = '/ws/notifications';
/** A sender leaves these bytes out at the end of each compressed message (RFC 7692, section 7.2.2). */
const END_OF_DEFLATED = Buffer.from([0, 0, 0xff, 0xff]);

/** A client of the endpoint whose session has begun. */
export async function openSession(url: string, headers = {}): Promise<ByteClient> {
  const client = await ByteClient.open(url, { path: PATH, headers });
  await client.first(({ opcode }) => opcode === TEXT);
  return client;
}

/** A command whose answer repeats the id, and so shows how the text has arrived. */
export function ping(id: string): string {
  return JSON.stringify({ action: 'ping', id });
}

/** Sends one more command, and resolves with the ids of all commands that were answered. */
export async function answered(client: ByteClient): Promise<readonly unknown[]> {
  client.write(clientFrame(ping('the last')));
  await client.first((frame) => idOf(frame) === 'the last');
  return client.frames.map(idOf).filter((id) => id !== undefined && id !== 'the last');
}

/** The text of a frame, which needs no earlier frame where it is compressed. */
export function textOf({ reserved, payload }: ServerFrame): string {
  if (reserved === 0) return String(payload);
  const bytes = Buffer.concat([payload, END_OF_DEFLATED]);
  return String(inflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }));
}

function idOf(frame: ServerFrame): unknown {
  return frame.opcode === TEXT ? JSON.parse(textOf(frame)).id : undefined;
}
