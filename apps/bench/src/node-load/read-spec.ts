import { readFileSync } from 'node:fs';
import type { ChannelClass, ClientKind, Member, Publishing } from '../generator-spec.ts';

/** A publication's bytes, and where its fields stand in them. */
export interface Template {
  readonly bytes: Buffer;
  readonly timeAt: number;
  readonly numberAt: number;
}

/** The spec as the files say it; what it has about sampling is of no use here. */
export interface LoadSpec {
  readonly addresses: readonly string[];
  readonly kinds: readonly ClientKind[];
  readonly members: readonly Member[];
  readonly publishing: Publishing;
  readonly templates: readonly Template[];
  readonly classes: readonly ChannelClass[];
  readonly replies: ReadonlyMap<string, Buffer>;
  readonly stalled: number;
  readonly connectBatch: number;
  readonly retryMs: number;
}

export function readSpec(path: string): LoadSpec {
  const lines = linesOf(path).map(keyAndValue);
  const value = (key: string) => lines.find((line) => line.key === key)?.value;
  const needed = (key: string): string => {
    const found = value(key);
    if (found === undefined) throw new Error(`no ${key} in the spec`);
    return found;
  };
  const preamble = value('preamble');
  return {
    addresses: needed('targets').split(','),
    kinds: readKinds(needed('clients')),
    members: linesOf(needed('members')).map(toMember),
    publishing: {
      address: needed('publish'),
      preamble: preamble === undefined ? undefined : readRecords(preamble)[0],
      error: value('publish_error') ?? '',
      ack: value('publish_ack'),
    },
    templates: readRecords(needed('publications')).map(toTemplate),
    classes: needed('classes').split(',').map(toClass),
    replies: new Map(lines.filter(({ key }) => key === 'reply').map((line) => toReply(line.value))),
    stalled: Number(value('stalled') ?? 0),
    connectBatch: Number(needed('connect_batch')),
    retryMs: Number(value('retry_ms') ?? 0),
  };
}

function linesOf(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

function keyAndValue(line: string): { key: string; value: string } {
  const space = line.indexOf(' ');
  return { key: line.slice(0, space), value: line.slice(space + 1) };
}

function readKinds(path: string): ClientKind[] {
  const records = readRecords(path);
  return Array.from({ length: records.length / 3 }, (_, index) => {
    const [request, afterUpgrade, ready] = records.slice(3 * index, 3 * index + 3);
    if (request === undefined || afterUpgrade === undefined || ready === undefined) {
      throw new Error('not three records a kind');
    }
    return { request, afterUpgrade, ready: ready.toString('latin1') };
  });
}

export function readRecords(path: string): Buffer[] {
  const bytes = readFileSync(path);
  const records: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const lineEnd = bytes.indexOf('\n', at);
    const end = lineEnd + 1 + Number(bytes.toString('latin1', at, lineEnd));
    records.push(bytes.subarray(lineEnd + 1, end));
    at = end + 1;
  }
  return records;
}

function toMember(line: string): Member {
  const [kind, format, channels = ''] = line.split(' ');
  const indexes = channels.split(',').filter((channel) => channel !== '');
  return { kind: Number(kind), format: Number(format), channels: indexes.map(Number) };
}

function toTemplate(bytes: Buffer): Template {
  const timeAt = bytes.indexOf('T'.repeat(16));
  const numberAt = bytes.indexOf('N'.repeat(10));
  if (timeAt < 0 || numberAt < 0) throw new Error('a publication without its fields');
  return { bytes, timeAt, numberAt };
}

function toClass(range: string): ChannelClass {
  const [first, last] = range.split('-');
  return { first: Number(first), last: Number(last) };
}

function toReply(value: string): [when: string, answer: Buffer] {
  const equals = value.lastIndexOf('=');
  return [value.slice(0, equals), Buffer.from(value.slice(equals + 1), 'hex')];
}
