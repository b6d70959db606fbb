import { get, RawClient, SocketClient, wsUrl } from '@leque/lab';
import type { Audit } from './audit.ts';
import type { Random } from './random.ts';
import {
  CALLERS,
  CHANNELS,
  channelFor,
  MEMBERS,
  mayRead,
  type Persona,
  PROJECTS,
} from './world.ts';

export interface Reading {
  readonly publishUrl: string;
  readonly gatewayUrls: readonly string[];
  readonly audit: Audit;
  readonly random: Random;
}

/** Commands of one connection; fewer than those that a second allows. */
const COMMANDS = 20;

/** One round of reading: histories, upgrades, and commands of both protocols. */
export async function read(reading: Reading): Promise<void> {
  await Promise.all([
    ...Array.from({ length: 5 }, () => readHistory(reading)),
    upgrade(reading),
    commandRaw(reading),
    commandSocket(reading),
  ]);
}

async function readHistory({ publishUrl, audit, random }: Reading): Promise<void> {
  const caller = random.of(CALLERS);
  const channel = random.of(CHANNELS);
  const url = `${publishUrl}/api/channels/${encodeURIComponent(channel)}/history?limit=5`;
  const { status, body } = await get<{ publications?: object[] }>(url, caller.credentials);
  audit.attempt(mayRead(caller, channel), status === 200, { caller: caller.name, channel });
  for (const publication of body.publications ?? []) audit.received(caller, publication);
}

async function upgrade({ gatewayUrls, audit, random }: Reading): Promise<void> {
  const persona = random.of(MEMBERS);
  const project = random.of(PROJECTS);
  const [path, channel] = random.of([
    [`/ws/project/${encodeURIComponent(project)}`, channelFor('project', project)],
    ['/ws/logs', 'logs'],
  ] as const);
  const url = wsUrl(random.of(gatewayUrls), path);
  const connecting = RawClient.connect(url, { token: String(persona.token) });
  const client = await connecting.catch(() => undefined);
  const expected = mayRead(persona, channel);
  audit.attempt(expected, client !== undefined, { persona: persona.name, path });
  await client?.close();
  for (const event of client?.events ?? []) audit.received(persona, event);
}

async function commandRaw({ gatewayUrls, audit, random }: Reading): Promise<void> {
  const persona = random.of(MEMBERS);
  const url = wsUrl(random.of(gatewayUrls), '/ws/notifications');
  await using client = await RawClient.connect(url, { token: String(persona.token) });
  const asking = Array.from({ length: COMMANDS }, async () => {
    const project_id = random.of(PROJECTS);
    const { type } = await client.ask({ action: 'subscribe', project_id });
    const what = { persona: persona.name, project_id, type };
    audit.attempt(mayRead(persona, channelFor('project', project_id)), type === 'subscribed', what);
  });
  await Promise.all(asking);
  await resume(client, { audit, random, persona });
  for (const event of client.events) audit.received(persona, event);
}

interface Resuming extends Pick<Reading, 'audit' | 'random'> {
  readonly persona: Persona;
}

/** A cursor opens no channel; a position of another epoch answers `recovered: false` and a cursor. */
async function resume(client: RawClient, { audit, random, persona }: Resuming): Promise<void> {
  const channel = random.of(CHANNELS.filter((name) => name !== 'logs'));
  const { data } = await client.ask({ action: 'resume', cursors: { [channel]: 'x.1' } });
  const outcome = (data['channels'] as Record<string, { code?: string }>)[channel];
  audit.attempt(mayRead(persona, channel), outcome?.code === undefined, { channel, outcome });
}

async function commandSocket({ gatewayUrls, audit, random }: Reading): Promise<void> {
  const persona = random.of(MEMBERS.filter(({ user }) => user !== undefined));
  const auth = { token: persona.token, projects: random.below(2) === 0 };
  await using client = await SocketClient.connect(random.of(gatewayUrls), { auth });
  const project_ids = [...new Set([random.of(PROJECTS), random.of(PROJECTS)])];
  const answer = await client.socket
    .timeout(5000)
    .emitWithAck('subscribe.projects', { project_ids });
  for (const id of project_ids) {
    const outcome = answer.channels[channelFor('project', id)];
    const wasAllowed = outcome.code === undefined;
    const what = { persona: persona.name, id, outcome };
    audit.attempt(mayRead(persona, channelFor('project', id)), wasAllowed, what);
  }
  for (const { payload } of client.events) audit.received(persona, payload);
}
