import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The request of one kind of client, and the text that confirms its subscription. */
export interface ClientKind {
  /** Sent once connected: the HTTP upgrade request. */
  readonly request: Buffer;
  /** Sent after the 101 answer: ready-made masked frames, or nothing. */
  readonly afterUpgrade: Buffer;
  /** A connection is ready once what it has received after the 101 contains this text. */
  readonly ready: string;
}

/** One connection. */
export interface Member {
  /** Index into the kinds. */
  readonly kind: number;
  /** 0 to 63; members of the same format receive byte-identical frames. */
  readonly format: number;
  /** Indexes of channels. */
  readonly channels: readonly number[];
}

/** Where publications are written, and how their answers are counted. */
export interface Publishing {
  /** host:port */
  readonly address: string;
  /** Written once connected. */
  readonly preamble?: Buffer | undefined;
  /** Each occurrence in the answers is a publication that failed. */
  readonly error: string;
  /** Each occurrence in the answers is a publication that was accepted. */
  readonly ack?: string | undefined;
}

/** Channels `first` to `last` have one rate and one histogram. */
export interface ChannelClass {
  readonly first: number;
  readonly last: number;
}

/** The configuration of a load generator. */
export interface GeneratorSpec {
  /** host:port each, with IPv4 addresses; members are spread over them in turn. */
  readonly addresses: readonly string[];
  readonly kinds: readonly ClientKind[];
  readonly members: readonly Member[];
  readonly publishing: Publishing;
  /** Per channel: the bytes that publish once, with the fields for time and number. */
  readonly publications: readonly Buffer[];
  readonly classes: readonly ChannelClass[];
  /** At least one in this many connections is parsed fully, and one for each format of each channel. */
  readonly sample: number;
  /**
   * How deliveries on the other connections are counted. Counting bytes is cheapest, but requires
   * that every frame is a publication.
   */
  readonly rest: 'bytes' | 'frames';
  /** Bytes to send when the payload of a text frame equals the key. */
  readonly replies: Readonly<Record<string, Buffer>>;
  /** How many members, counted from the last, stop reading during a run. */
  readonly stalled: number;
  /** Most connection attempts at a time. */
  readonly connectBatch: number;
  /** A refused client retries after a random time up to this many milliseconds; 0 for never. */
  readonly retryMs: number;
}

/** Writes the spec and its records into a folder; resolves with the path of the spec. */
export async function writeSpec(spec: GeneratorSpec, folder: string): Promise<string> {
  const at = (name: string) => join(folder, name);
  const clients = spec.kinds.flatMap((kind) => [
    kind.request,
    kind.afterUpgrade,
    Buffer.from(kind.ready),
  ]);
  await writeFile(at('clients'), toRecords(clients));
  await writeFile(at('members'), spec.members.map(memberLine).join(''));
  await writeFile(at('publications'), toRecords(spec.publications));
  const { preamble } = spec.publishing;
  if (preamble !== undefined) await writeFile(at('preamble'), toRecords([preamble]));
  await writeFile(at('spec'), specLines(spec, at).map(oneLine).join(''));
  return at('spec');
}

function specLines(spec: GeneratorSpec, at: (name: string) => string): string[] {
  const { publishing } = spec;
  return [
    `targets ${spec.addresses.join(',')}`,
    `connections ${spec.members.length}`,
    `clients ${at('clients')}`,
    `members ${at('members')}`,
    `publish ${publishing.address}`,
    `publications ${at('publications')}`,
    ...(publishing.preamble === undefined ? [] : [`preamble ${at('preamble')}`]),
    `publish_error ${publishing.error}`,
    ...(publishing.ack === undefined ? [] : [`publish_ack ${publishing.ack}`]),
    `classes ${spec.classes.map(({ first, last }) => `${first}-${last}`).join(',')}`,
    `sample ${spec.sample}`,
    `rest ${spec.rest}`,
    ...Object.entries(spec.replies).map(
      ([when, answer]) => `reply ${when}=${answer.toString('hex')}`,
    ),
    `stalled ${spec.stalled}`,
    `connect_batch ${spec.connectBatch}`,
    `retry_ms ${spec.retryMs}`,
  ];
}

function memberLine({ kind, format, channels }: Member): string {
  return `${kind} ${format} ${channels.join(',')}\n`;
}

function oneLine(line: string): string {
  if (line.includes('\n')) throw new Error(`A line feed cannot be in a spec: ${line}`);
  return `${line}\n`;
}

/** Concatenates the items, each with its length on a line before it. */
export function toRecords(items: readonly Buffer[]): Buffer {
  const end = Buffer.from('\n');
  return Buffer.concat(items.flatMap((item) => [Buffer.from(`${item.length}\n`), item, end]));
}
