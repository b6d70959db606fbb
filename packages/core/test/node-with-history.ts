import { FakeConnection, TextFormat } from '@leque/testkit/fakes';
import type { HubOptions } from '../src/fan-out/hub-options.ts';
import type { Session } from '../src/fan-out/session.ts';
import type { HistoryExtent, HistoryPage } from '../src/ports/broker.ts';
import { Publication } from '../src/publication/publication.ts';
import { at, HubUnderTest } from './hub-under-test.ts';
import { identity } from './samples.ts';

type After = { readonly offset: number };

/** Shows each publication with its number, which is given over all channels. */
class NumberFormat extends TextFormat {
  override encodePublication({ event, position }: Publication) {
    return { byteLength: 10, text: String(event['n']), position };
  }
}

/** A node whose broker has histories. A publication's number is also the time at which it was stored. */
export class NodeWithHistory extends HubUnderTest {
  /** The histories no longer reach back to offsets below this one. */
  trimmedTo = 0;
  /** Set while histories cannot be read. */
  failure: Error | undefined;
  /** Pages that were read, and how many of them at once. */
  pages = 0;
  mostAtOnce = 0;
  readonly #logs = new Map<string, Publication[]>();
  #number = 0;
  #reading = 0;

  constructor(
    replayPage: HistoryExtent = { publications: 10, bytes: 1000 },
    more: Partial<HubOptions> = {},
  ) {
    super({ replayPage, maxSubscriptions: 50, ...more });
    Object.assign(this.broker, {
      subscribe: async (channel: string) => at(this.#logOf(channel).length),
      history: (channel: string, after: After, extent: HistoryExtent) =>
        this.#history(channel, after, extent),
      pageAfter: (channel: string, after: After, extent: HistoryExtent) => {
        this.pages += 1;
        return this.#read(channel, after, extent);
      },
    });
  }

  join() {
    const connection = new FakeConnection(new NumberFormat());
    return this.connect(identity('alice', ['A', 'B', 'C']), connection);
  }

  /** Stores events, and delivers them to the node's subscribers. */
  publish(...channels: string[]): void {
    for (const channel of channels) {
      const log = this.#logOf(channel);
      this.#number += 1;
      const json = `{"n":${this.#number},"data":{"key":${this.#number % 5}}}`;
      const init = { channel, type: 'tick', position: at(log.length + 1), json };
      log.push(new Publication({ ...init, storedAt: this.#number }));
      this.hub.deliver(new Publication(init));
    }
    this.clock.endTurn();
  }

  /** Lets what is under way go on for some turns of the event loop, of a millisecond each. */
  async settle(turns = 60): Promise<void> {
    for (let n = 0; n < turns; n += 1) {
      await new Promise(setImmediate);
      this.clock.advance(1);
    }
  }

  /** Resumes as transports do: they answer, and then start. Returns the channels that have caught up. */
  async resume(session: Session, cursors: Record<string, number>): Promise<string[]> {
    const caughtUp: string[] = [];
    const asking = Object.entries(cursors).map(([channel, since]) =>
      this.hub.subscribe(session, channel, { since: at(since) }),
    );
    while (session.open && asking.length > 0) {
      const settled = await Promise.race([Promise.all(asking), this.settle(1)]);
      if (settled === undefined) continue;
      const channels = Object.keys(cursors);
      this.hub.replays.announce(session, channels, () => caughtUp.push(...channels));
      this.hub.replays.start(session, settled);
      break;
    }
    return caughtUp;
  }

  #logOf(channel: string): Publication[] {
    const log = this.#logs.get(channel) ?? [];
    this.#logs.set(channel, log);
    return log;
  }

  async #history(channel: string, after: After, extent: HistoryExtent): Promise<HistoryPage> {
    const page = await this.#read(channel, after, extent);
    const missed = this.#logOf(channel).length - after.offset;
    const fits = page.publications.length >= missed && 10 * missed <= extent.bytes;
    if (fits || !page.complete) return page;
    return { ...page, publications: [], complete: false, tooLarge: true };
  }

  async #read(channel: string, { offset }: After, extent: HistoryExtent): Promise<HistoryPage> {
    this.#reading += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#reading);
    await new Promise(setImmediate);
    this.#reading -= 1;
    if (this.failure !== undefined) throw this.failure;
    const log = this.#logOf(channel);
    const complete = offset >= this.trimmedTo && offset <= log.length;
    const publications = complete ? log.slice(offset, offset + extent.publications) : [];
    return { position: at(log.length), publications, complete };
  }
}
