import { get, hs256, inSeconds, post, RawClient, SocketClient, wsUrl } from '@leque/lab';
import type { Audit, Received } from './audit.ts';
import { type MadeGrant, makeGrant, PRESENTERS } from './grant-kinds.ts';
import type { Reading } from './reads.ts';
import {
  CALLERS,
  CHANNELS,
  channelFor,
  mayRead,
  mayWrite,
  type Persona,
  PROJECTS,
  USERS,
} from './world.ts';

/** Commands of one connection; fewer than those that a second allows. */
const COMMANDS = 12;
/** The most grants of a command. */
const MAX_GRANTS = 512;

/** One connection that presents grants: what it may hear grows with each one that is good. */
class Holder {
  readonly persona: Persona;
  readonly #held = new Set<string>();

  constructor(persona: Persona) {
    this.persona = persona;
  }

  hold({ opens }: MadeGrant): void {
    for (const project of opens) this.#held.add(channelFor('project', project));
  }

  mayHear(channel: string): boolean {
    return mayRead(this.persona, channel) || this.#held.has(channel);
  }

  audit(audit: Audit, received: readonly Received[]): void {
    const rights = { ...this.persona, held: this.#held };
    for (const each of received) audit.received(rights, each);
  }
}

/** Presents grants over each protocol, in each place, and by the API. */
export async function presentGrants(reading: Reading): Promise<void> {
  await Promise.all([
    presentRaw(reading),
    presentInHandshake(reading),
    presentElsewhere(reading),
    askForGrants(reading),
    askForCursor(reading),
  ]);
}

async function presentRaw(reading: Reading): Promise<void> {
  const { gatewayUrls, audit, random } = reading;
  const holder = new Holder(random.of(PRESENTERS));
  const url = wsUrl(random.of(gatewayUrls), '/ws/notifications');
  await using client = await RawClient.connect(url, { token: String(holder.persona.token) });
  for (let count = 0; count < COMMANDS; count += 1) {
    await random.of([subscribeRaw, subscribeSeveral, resumeRaw, renewRaw])(client, holder, reading);
  }
  holder.audit(audit, client.events);
}

type Present = (client: RawClient, holder: Holder, reading: Reading) => Promise<void>;

const subscribeRaw: Present = async (client, holder, { audit, random }) => {
  const project = random.of(PROJECTS);
  const made = makeGrant({ presenter: holder.persona, project, random });
  const before = holder.mayHear(channelFor('project', project));
  holder.hold(made);
  const { type, data } = await client.ask({
    action: 'subscribe',
    project_id: project,
    grant: made.grant,
  });
  judge(holder, { audit, made, project, before, allowed: type === 'subscribed', answer: data });
};

const subscribeSeveral: Present = async (client, holder, { audit, random }) => {
  const project = random.of(PROJECTS);
  const made = makeGrant({ presenter: holder.persona, project, random });
  const before = holder.mayHear(channelFor('project', project));
  holder.hold(made);
  const isOwn = random.below(2) === 0;
  const { type, data } = await client.ask({
    action: 'subscribe',
    projects: [{ project_id: project, ...(isOwn && { grant: made.grant }) }],
    ...(!isOwn && { grant: made.grant }),
  });
  const outcome = outcomeOf(data['channels'], project);
  const allowed = type === 'subscribed' && isOpen(outcome);
  judge(holder, { audit, made, project, before, allowed, answer: data });
};

const resumeRaw: Present = async (client, holder, { audit, random }) => {
  const project = random.of(PROJECTS);
  const made = makeGrant({ presenter: holder.persona, project, random });
  const before = holder.mayHear(channelFor('project', project));
  holder.hold(made);
  const cursors = { [channelFor('project', project)]: 'x.1' };
  const { data } = await client.ask({ action: 'resume', cursors, grants: [made.grant] });
  const allowed = isOpen(outcomeOf(data['channels'], project));
  judge(holder, { audit, made, project, before, allowed, answer: data });
};

/** A grant that comes with a fresh token counts at the next command. */
const renewRaw: Present = async (client, holder, { audit, random }) => {
  const project = random.of(PROJECTS);
  const made = makeGrant({ presenter: holder.persona, project, random });
  const before = holder.mayHear(channelFor('project', project));
  holder.hold(made);
  await client.ask({ action: 'auth', token: holder.persona.token, grants: [made.grant] });
  const { type, data } = await client.ask({ action: 'subscribe', project_id: project });
  judge(holder, { audit, made, project, before, allowed: type === 'subscribed', answer: data });
};

interface Judged {
  readonly audit: Audit;
  readonly made: MadeGrant;
  readonly project: string;
  /** Whether the holder could hear the project without this grant. */
  readonly before: boolean;
  readonly allowed: boolean;
  readonly answer: unknown;
}

/** A wrong grant may refuse a command that needed none; a command that needs one must be right. */
function judge(holder: Holder, { audit, made, project, before, allowed, answer }: Judged): void {
  const expected = holder.mayHear(channelFor('project', project));
  if (before && !made.opens.includes(project)) return;
  const what = {
    persona: holder.persona.name,
    project,
    kind: made.kind,
    grant: made.grant,
    answer,
  };
  audit.attempt(expected, allowed, what);
}

async function presentInHandshake({ gatewayUrls, audit, random }: Reading): Promise<void> {
  const users = PRESENTERS.filter(({ user }) => user !== undefined);
  const holder = new Holder(random.of(users));
  const { persona } = holder;
  const made = Array.from({ length: 1 + random.below(3) }, () =>
    makeGrant({ presenter: persona, project: random.of(PROJECTS), random }),
  );
  for (const each of made) holder.hold(each);
  const auth = { token: persona.token, grants: made.map(({ grant }) => grant) };
  await using client = await SocketClient.connect(random.of(gatewayUrls), { auth });
  for (const project of PROJECTS) {
    const answer = await client.socket
      .timeout(5000)
      .emitWithAck('subscribe.project', { project_id: project });
    const expected = holder.mayHear(channelFor('project', project));
    const what = { persona: persona.name, project, kinds: made.map(({ kind }) => kind), answer };
    audit.attempt(expected, isOpen(answer), what);
  }
  for (let count = 0; count < COMMANDS; count += 1) {
    const project = random.of(PROJECTS);
    const one = makeGrant({ presenter: persona, project, random });
    const before = holder.mayHear(channelFor('project', project));
    holder.hold(one);
    const answer = await client.socket
      .timeout(5000)
      .emitWithAck('subscribe.project', { project_id: project, grant: one.grant });
    judge(holder, { audit, made: one, project, before, allowed: isOpen(answer), answer });
  }
  holder.audit(
    audit,
    client.events.map(({ payload }) => payload),
  );
}

/** Grants where none counts: in URLs, as tokens, and too many of them. */
async function presentElsewhere(reading: Reading): Promise<void> {
  const { gatewayUrls, publishUrl, audit, random } = reading;
  const persona = random.of(PRESENTERS);
  const project = random.of(PROJECTS);
  const { grant, kind } = makeGrant({ presenter: persona, project, random });
  const channel = channelFor('project', project);
  const base = wsUrl(random.of(gatewayUrls), '');
  const room = `${base}/ws/project/${encodeURIComponent(project)}`;
  const token = String(persona.token);
  const what = { persona: persona.name, project, kind, grant };
  const isToken = kind.includes('token');
  const ways: [string, boolean, () => Promise<boolean>][] = [
    ['?grant=', mayRead(persona, channel), () => opens(`${room}?grant=${grant}`, token)],
    ['?grants=', mayRead(persona, channel), () => opens(`${room}?grants=["${grant}"]`, token)],
    ['?token=', false, () => opens(`${room}?token=${encodeURIComponent(grant)}`)],
    ['Bearer', false, () => opens(room, grant)],
    [
      'the API',
      false,
      () => answers(`${publishUrl}/api/channels/${channelInUrl(channel)}/history`, grant),
    ],
  ];
  const [way, expected, attempt] = random.of(isToken ? ways.slice(0, 2) : ways);
  audit.attempt(expected, await attempt(), { ...what, way });
  await presentTooMany(reading, { persona, project });
}

/** With more grants than a command may have, none counts, not even one that is good. */
async function presentTooMany(
  { gatewayUrls, audit, random }: Reading,
  { persona, project }: { persona: Persona; project: string },
): Promise<void> {
  const url = random.of(gatewayUrls);
  const good = hs256({
    use: 'grant',
    sub: persona.user,
    projects: [project],
    exp: inSeconds(600),
  });
  const grants = [good, ...Array(MAX_GRANTS).fill('x')];
  const { token } = persona;
  const what = { persona: persona.name, project, kind: 'too many' };
  await using raw = await RawClient.connect(wsUrl(url, '/ws/notifications'), {
    token: String(token),
  });
  const { type } = await raw.ask({ action: 'auth', token, grants });
  audit.attempt(false, type === 'authenticated', what);
  const answer = await raw.ask({ action: 'subscribe', project_id: project });
  const expected = mayRead(persona, channelFor('project', project));
  audit.attempt(expected, answer.type === 'subscribed', what);
  if (persona.user === undefined) return;
  const connecting = SocketClient.connect(url, { auth: { token, grants } });
  const socket = await connecting.catch(() => undefined);
  audit.attempt(false, socket !== undefined, what);
  await socket?.[Symbol.asyncDispose]();
}

async function opens(url: string, token?: string): Promise<boolean> {
  const connecting = RawClient.connect(url, token === undefined ? {} : { token });
  const client = await connecting.catch(() => undefined);
  await client?.close();
  return client !== undefined;
}

async function answers(url: string, token: string): Promise<boolean> {
  return (await get(url, { authorization: `Bearer ${token}` })).status === 200;
}

/** Only an API key, and a token with the scope, makes grants. */
async function askForGrants({ publishUrl, audit, random }: Reading): Promise<void> {
  const caller = random.of(CALLERS);
  const user = random.of(USERS);
  const project = random.of([...PROJECTS, '*']);
  const body = { user_id: user, projects: [project], ttl: 600 };
  const { status } = await post(`${publishUrl}/api/grants`, body, caller.credentials);
  const expected = caller.scopes.includes('grant') && project !== '*';
  audit.attempt(expected, status === 200, { caller: caller.name, body, status });
}

async function askForCursor({ publishUrl, audit, random }: Reading): Promise<void> {
  const caller = random.of(CALLERS);
  const channel = random.of(CHANNELS);
  const url = `${publishUrl}/api/channels/${channelInUrl(channel)}/cursor`;
  const { status } = await get(url, caller.credentials);
  const expected = mayRead(caller, channel) || mayWrite(caller, channel);
  audit.attempt(expected, status === 200, { caller: caller.name, channel, status });
}

function channelInUrl(channel: string): string {
  return encodeURIComponent(channel);
}

function outcomeOf(channels: unknown, project: string): unknown {
  return (channels as Record<string, unknown> | undefined)?.[channelFor('project', project)];
}

/** Whether an outcome is that of a subscribed channel. */
function isOpen(outcome: unknown): boolean {
  return outcome !== undefined && (outcome as { code?: string }).code === undefined;
}
