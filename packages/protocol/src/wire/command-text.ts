import { ProtocolError } from './errors.ts';

/** The commands that are a word, also as a text of JSON. */
const WORD = /^(?:(ping|pong)|"(ping|pong)")$/i;
/** Packets of Engine.IO: a ping, a pong, a probe, or a packet of Socket.IO. */
const ENGINE_PACKET = /^(?:[235](?:probe)?$|4[0-6])/;

/**
 * Reads the text of one command. Embedded and .NET clients put a byte order mark, white space or zero
 * bytes around it, which are ignored.
 * @throws ProtocolError that names the problem
 */
export function parseCommandText(sent: string): Record<string, unknown> {
  const text = trim(sent);
  const [, bare, quoted] = WORD.exec(text) ?? [];
  const word = bare ?? quoted;
  if (word !== undefined) return { action: word };
  if (ENGINE_PACKET.test(text)) {
    const problem = 'this is a packet of Socket.IO, whose clients connect to /socket.io/';
    throw new ProtocolError('invalid_command', problem);
  }
  return asCommand(parseJson(text));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError('invalid_json', 'neither "ping" nor JSON', { cause });
  }
}

function asCommand(value: unknown): Record<string, unknown> {
  if (Array.isArray(value)) {
    throw new ProtocolError('invalid_command', 'a command is a JSON object, not a list of them');
  }
  if (typeof value !== 'object' || value === null) {
    throw new ProtocolError('invalid_command', 'a command is a JSON object');
  }
  return value as Record<string, unknown>;
}

/** `String.trim` takes the byte order mark for white space. */
function trim(sent: string): string {
  let end = sent.length;
  while (end > 0 && (sent[end - 1] === '\0' || sent[end - 1]?.trim() === '')) end -= 1;
  return sent.slice(0, end).trim();
}
