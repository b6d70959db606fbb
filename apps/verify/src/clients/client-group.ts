import { Random } from '@leque/testkit';
import type { AuditedClient } from './audited-client.ts';
import { ClientRecord } from './client-record.ts';
import type {
  ClientKind,
  ClientResult,
  ClientSpec,
  GroupSpec,
  GroupStatus,
  MissingClient,
} from './client-spec.ts';
import type { LinkProxy } from './link-proxy.ts';
import { RawAuditedClient } from './raw-audited-client.ts';
import { type Route, Routes } from './routes.ts';
import { SocketIoAuditedClient } from './socketio-audited-client.ts';

interface Member {
  readonly spec: ClientSpec;
  readonly record: ClientRecord;
  readonly client: AuditedClient;
}

const RAW_KINDS: readonly ClientKind[] = ['notifications', 'project', 'room'];

/** Publications after which the connection of a client that has been away is cut. */
const CUT_AFTER = 40;

/** Clients start in batches, so that their timeouts measure the gateway and not this process. */
const AT_ONCE = 50;
const BETWEEN_MS = 20;

/** The clients of one process. */
export class ClientGroup {
  readonly #members: readonly Member[];
  readonly #links: readonly LinkProxy[];

  private constructor(members: readonly Member[], links: readonly LinkProxy[]) {
    this.#members = members;
    this.#links = links;
  }

  /** Resolves once all clients have started to connect. */
  static async open(spec: GroupSpec): Promise<ClientGroup> {
    const random = new Random(spec.seed);
    const routes = new Routes(spec, random);
    const members = await Promise.all(
      spec.clients.map(async (client): Promise<Member> => {
        const record = new ClientRecord(client, spec.run);
        const parts = { record, random, ...(await routes.to(client)) };
        return { spec: client, record, client: makeClient(client, parts) };
      }),
    );
    await startGently(members);
    return new ClientGroup(members, routes.links);
  }

  status(): GroupStatus {
    const openByChannel: Record<string, number> = {};
    const open = this.#members.filter(({ client }) => client.open);
    for (const { spec } of open) {
      for (const channel of spec.channels) {
        openByChannel[channel] = (openByChannel[channel] ?? 0) + 1;
      }
    }
    const connects = this.#members.reduce((sum, { record }) => sum + record.connects, 0);
    return { open: open.length, openByChannel, connects };
  }

  /** Clients whose subscriptions are not established, and why. */
  missing(): MissingClient[] {
    return this.#members
      .filter(({ client }) => !client.open)
      .map(({ spec: { id, kind }, client: { failure } }) => ({
        id,
        kind,
        reason: failure || 'not answered yet',
      }));
  }

  /** Number of clients that have not received the required numbers of their channels. */
  behind(required: Readonly<Record<string, number>>): number {
    return this.#members.filter(({ record }) => record.isBehind(required)).length;
  }

  time(on: boolean): void {
    for (const { record } of this.#members) record.time(on);
  }

  /** Cuts all connections, and refuses new ones for this time. */
  down(forMs: number): void {
    for (const links of this.#links) links.down(forMs);
    if (this.#links.length === 0) for (const { client } of this.#members) client.drop();
  }

  /** Makes the clients with these ids stop or resume reading. */
  stall(ids: readonly string[], on: boolean): void {
    for (const { spec, client } of this.#members) if (ids.includes(spec.id)) client.stall(on);
  }

  /** Makes the clients with these ids leave for a time, and interrupts what they resume then. */
  leave(ids: readonly string[], forMs: number): void {
    for (const { spec, record, client } of this.#members) {
      if (!ids.includes(spec.id)) continue;
      record.away();
      client.leave(forMs, CUT_AFTER);
    }
  }

  results(): ClientResult[] {
    return this.#members.map(({ record }) => record.result());
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map(({ client }) => client[Symbol.asyncDispose]()));
    await Promise.all(this.#links.map((links) => links[Symbol.asyncDispose]()));
  }
}

interface ClientDeps extends Route {
  readonly record: ClientRecord;
  readonly random: Random;
}

function makeClient(spec: ClientSpec, parts: ClientDeps): AuditedClient {
  if (RAW_KINDS.includes(spec.kind)) return new RawAuditedClient(spec, parts);
  return new SocketIoAuditedClient(spec, { ...parts, url: parts.nextUrl() });
}

async function startGently(members: readonly Member[]): Promise<void> {
  for (let from = 0; from < members.length; from += AT_ONCE) {
    for (const { client } of members.slice(from, from + AT_ONCE)) client.start();
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
  }
}
