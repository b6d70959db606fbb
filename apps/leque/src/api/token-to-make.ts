import type { tryParseChannel } from '@leque/protocol';

/** Characters that no shell changes. */
const PLAIN = /^[\w.:@+~/-]+$/;
const ENCODED = /%[0-9a-f]{2}/i;

/** The option with a token for `channel`, as a person would type it. */
export function tokenForChannel(channel: ReturnType<typeof tryParseChannel>): string {
  switch (channel?.kind) {
    case 'logs':
      return tokenForScope('logs');
    case 'user':
      return tokenOption(['--user', channel.id]);
    case 'project':
      return tokenOption(['--user', 'ops', '--projects', listOf(channel.id)]);
    default:
      return tokenOption(['--user', 'ops']);
  }
}

/** The option with a token that has `scope`. */
export function tokenForScope(scope: string): string {
  // Its own user and projects are all that a token may publish to with the scope `publish`.
  const needed = scope === 'publish' ? 'publish:all' : scope;
  return tokenOption(['--user', 'ops', '--scope', needed]);
}

/** The doubt about an id that was probably copied from the name of a channel; undefined without one. */
export function doubtAbout(option: string, id: string): string | undefined {
  if (!ENCODED.test(id)) return undefined;
  return `warning: ${option} "${id}": an id is written as it is in a token, not percent-encoded`;
}

/** JSON where commas or brackets would be read as marks of a list. */
function listOf(id: string): string {
  return /[,[]/.test(id) || id !== id.trim() ? JSON.stringify([id]) : id;
}

function tokenOption(args: readonly string[]): string {
  return `--token "$(leque token ${args.map(quoted).join(' ')})"`;
}

function quoted(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
