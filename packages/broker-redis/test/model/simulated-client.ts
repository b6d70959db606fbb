import type { Connection, Frame, Identity } from '@leque/core';
import { type CloseCode, type Cursor, parseCursor } from '@leque/protocol';
import { ClientView, type Publication } from './client-view.ts';
import type { Command, Cursors, GatewaySession, Opening } from './gateway-session.ts';
import type { Ledger } from './ledger.ts';
import type { Lane, Scheduler } from './scheduler.ts';
import type { SimulatedNode } from './simulated-node.ts';
import {
  type ChannelOutcome,
  type Message,
  type MessageFrame,
  messageFormat,
} from './wire-format.ts';

export interface Network {
  readonly scheduler: Scheduler;
  readonly ledger: Ledger;
  /** Called with everything that clients read. */
  readonly heard: (name: string, message: Message) => void;
  /** Whether faults may lose publications. */
  readonly mayMiss: boolean;
  /** Called with each violated rule. */
  readonly violation: (what: string) => void;
}

interface Link {
  readonly node: SimulatedNode;
  readonly gateway: GatewaySession;
  readonly up: Lane;
  readonly down: Lane;
  /** Subscribing commands under way, by channel: their cursors. */
  readonly asked: Map<string, (Cursor | undefined)[]>;
  /** By channel, what came between presenting a cursor and its answer. */
  readonly early: Map<string, Publication[]>;
}

/** A client with one connection at a time. It comes back with its cursors, and knows only PROTOCOL. */
export class SimulatedClient {
  readonly name: string;
  readonly #network: Network;
  readonly #views = new Map<string, ClientView>();
  /** The identities of its renew commands under way, in their order. */
  #renewals: Identity[] = [];
  /** The channels of its unsubscribe commands under way, in their order. */
  #leaving: string[] = [];
  #link: Link | undefined;

  constructor(name: string, network: Network) {
    this.name = name;
    this.#network = network;
  }

  get connected(): boolean {
    return this.#link !== undefined;
  }

  get node(): SimulatedNode | undefined {
    return this.#link?.node;
  }

  /** Its views of the channels to which it is subscribed. */
  get subscribed(): ReadonlyMap<string, ClientView> {
    const views = this.connected ? [...this.#views] : [];
    return new Map(views.filter(([, { subscribed }]) => subscribed));
  }

  /** Whether all its commands are answered. */
  get quiet(): boolean {
    return [...(this.#link?.asked.values() ?? [])].every(({ length }) => length === 0);
  }

  viewOf(channel: string): ClientView {
    const view = this.#views.get(channel) ?? new ClientView(this.#network.ledger);
    this.#views.set(channel, view);
    return view;
  }

  /** The known cursors, except of channels that a command under way may end. */
  cursors(channels: Iterable<string>): Cursors {
    if (this.#renewals.length > 0) return {};
    const known = [...channels].flatMap((channel) => {
      const { cursor } = this.viewOf(channel);
      const isKnown = cursor !== undefined && !this.#leaving.includes(channel);
      return isKnown ? [[channel, cursor] as const] : [];
    });
    return Object.fromEntries(known);
  }

  /** @param opening `resumes`: whether its first command has its cursors */
  connect(node: SimulatedNode, identity: Identity, opening: Opening & { resumes: boolean }): void {
    const { scheduler } = this.#network;
    const up = scheduler.openLane(node.process);
    const down = scheduler.openLane(undefined);
    const gateway = node.accept(this.#wire(down), identity, opening);
    this.#link = { node, gateway, up, down, asked: new Map(), early: new Map() };
    const own = new Set(opening.channels);
    const cursors = this.cursors(opening.channels);
    for (const channel of [...this.#views.keys(), ...own]) {
      const isGiven = opening.kind === 'hold' && own.has(channel);
      this.viewOf(channel).connect(!isGiven || (opening.resumes && channel in cursors));
    }
    if (opening.kind === 'cursors') this.#expect(own, opening.cursors);
    else if (opening.resumes) this.send({ kind: 'resume', cursors });
  }

  send(command: Command): void {
    const link = this.#link;
    if (link === undefined) return;
    if (command.kind === 'subscribe') {
      const { channel, since } = command;
      this.#expect([channel], since === undefined ? {} : { [channel]: since });
    }
    if (command.kind === 'resume') this.#expect(Object.keys(command.cursors), command.cursors);
    if (command.kind === 'unsubscribe') this.#leaving.push(command.channel);
    if (command.kind === 'renew') this.#renewals.push(command.identity);
    link.up.push(() => link.gateway.receive(command));
  }

  /** Stops reading, or goes on. */
  pause(isPaused: boolean): void {
    if (this.#link !== undefined) this.#link.down.paused = isPaused;
  }

  /** Loses the connection and the messages on their way. */
  cut(): void {
    const link = this.#link;
    if (link === undefined) return;
    const { scheduler } = this.#network;
    this.#link = undefined;
    this.#renewals = [];
    this.#leaving = [];
    scheduler.closeLane(link.down);
    link.up.push(() => {
      scheduler.closeLane(link.up);
      link.gateway.end();
    });
  }

  #wire(down: Lane): Connection {
    const deliver = (message: Message) => this.#read(message);
    const closed = () => this.cut();
    return new ClientWire(down, deliver, closed);
  }

  #expect(channels: Iterable<string>, cursors: Cursors): void {
    const asked = this.#link?.asked;
    for (const channel of channels) {
      const [view, cursor] = [this.viewOf(channel), cursors[channel]];
      if (cursor === undefined && !view.subscribed) view.forget();
      asked?.set(channel, [...(asked.get(channel) ?? []), cursor]);
    }
  }

  #read(message: Message): void {
    this.#network.heard(this.name, message);
    if (message.kind === 'publication') this.#readPublication(message);
    else if (message.kind === 'resync') this.#readResync(message);
    else if (message.kind === 'outcomes') this.#readOutcomes(message.outcomes);
    else if (message.kind === 'unsubscribed') this.#readUnsubscribed(message.channel);
    else this.#readRenewed();
  }

  #readPublication(message: Extract<Message, { kind: 'publication' }>): void {
    const { channel } = message;
    const view = this.viewOf(channel);
    if (!view.subscribed && !this.#link?.asked.get(channel)?.length) {
      this.#report(channel, `ISO: ${message.number} came, but it is not subscribed`);
    }
    if (!this.#mayHave(message.channel, message.number)) {
      this.#report(channel, `ISO: ${message.number} came, but its token does not allow it`);
    }
    if (this.#awaitsOutcome(channel)) this.#setAside(message);
    else this.#report(channel, view.read(message));
  }

  /** Whether a cursor was presented and not answered. */
  #awaitsOutcome(channel: string): boolean {
    return this.#link?.asked.get(channel)?.some((cursor) => cursor !== undefined) === true;
  }

  #setAside(message: Publication): void {
    const { early } = this.#link as Link;
    early.set(message.channel, [...(early.get(message.channel) ?? []), message]);
  }

  #readResync(message: Extract<Message, { kind: 'resync' }>): void {
    const { channel, position } = message;
    const isNeedless = position !== undefined && !this.#network.mayMiss;
    if (isNeedless) this.#report(channel, 'GAP: a resync, but nothing was missed');
    if (!this.#awaitsOutcome(channel)) this.viewOf(channel).resync(message);
  }

  #readOutcomes(outcomes: Extract<Message, { kind: 'outcomes' }>['outcomes']): void {
    for (const [channel, outcome] of outcomes) {
      const asked = this.#link?.asked;
      const [cursor, ...others] = asked?.get(channel) ?? [];
      asked?.set(channel, others);
      if (cursor !== undefined) this.#readPresented(channel, cursor, outcome);
      // While a cursor is not answered, its answer decides, too, where another answer leaves it.
      if (cursor === undefined && outcome.code === undefined && this.#awaitsOutcome(channel))
        continue;
      this.#report(channel, this.viewOf(channel).outcome(outcome, cursor !== undefined));
    }
  }

  #readPresented(channel: string, cursor: Cursor, { recovered, code }: ChannelOutcome): void {
    const setAside = this.#link?.early.get(channel) ?? [];
    this.#link?.early.delete(channel);
    const isLost = recovered === false && code === undefined;
    const isNeedless = isLost && !this.viewOf(channel).flowed && setAside.length === 0;
    if (isNeedless && !this.#network.mayMiss) {
      this.#report(channel, 'GAP: not recovered, but nothing was missed');
    }
    if (recovered === true) this.#count(channel, cursor, setAside);
  }

  /** What was set aside counts, unless the presented cursor covers it. */
  #count(channel: string, cursor: Cursor, setAside: readonly Publication[]): void {
    const { offset } = parseCursor(cursor);
    for (const message of setAside) {
      if (message.position !== undefined && message.position.offset <= offset) continue;
      this.#report(channel, this.viewOf(channel).read(message));
    }
  }

  #readUnsubscribed(channel: string): void {
    this.#leaving.shift();
    this.viewOf(channel).leave();
  }

  #readRenewed(): void {
    const identity = this.#renewals.shift();
    if (identity === undefined) return;
    for (const [channel, view] of this.#views) {
      if (!identity.grants.covers(channel)) view.leave();
    }
  }

  /** Whether a token allowed the event when it was published, or later. */
  #mayHave(channel: string, number: number): boolean {
    const identities = this.#link?.gateway.identities ?? [];
    const publishedAt = this.#network.ledger.stored(number)?.step ?? 0;
    return identities.some(({ identity }, index) => {
      const until = identities[index + 1]?.step ?? Number.POSITIVE_INFINITY;
      return until > publishedAt && identity.grants.covers(channel);
    });
  }

  #report(channel: string, problem: string | undefined): void {
    if (problem !== undefined) this.#network.violation(`${this.name} in ${channel}: ${problem}`);
  }
}

class ClientWire implements Connection {
  readonly format = messageFormat;
  bufferedBytes = 0;
  readonly #down: Lane;
  readonly #deliver: (message: Message) => void;
  readonly #closed: () => void;
  #closing = false;

  constructor(down: Lane, deliver: (message: Message) => void, closed: () => void) {
    this.#down = down;
    this.#deliver = deliver;
    this.#closed = closed;
  }

  write(frame: Frame): void {
    if (this.#closing) return;
    this.bufferedBytes += frame.byteLength;
    const { messages } = frame as MessageFrame;
    this.#down.push(() => {
      this.bufferedBytes -= frame.byteLength;
      for (const message of messages) this.#deliver(message);
    });
  }

  close(_code: CloseCode, _reason: string): void {
    this.#closing = true;
    this.#down.push(this.#closed);
  }
}
