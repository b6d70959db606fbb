// Many channels over one connection: each event once, in the order of its channel, and a word for
// each channel that has lost some. docs/resuming-many-channels.md explains it.
import { channelOf, isNewer } from './channels.js';
import { Connection } from './connection.js';

export class Stream {
  #told;
  #connection;
  #cursors = {}; // by channel: everything up to here was seen
  #grants = new Map(); // by channel of a room
  #early = new Map(); // by channel whose cursor was presented: the events before its answer

  /**
   * @param told.getToken resolves to `{ url, token }`, anew for each connection
   * @param told.onEvent gets each event
   * @param told.onLost gets a channel whose state has to be fetched anew: events of it are gone, or
   *   the right to a room has ended
   * @param told.onCaughtUp is called when all that was missed has come: after a connection, and after a
   *   room was joined
   */
  constructor(told) {
    this.#told = told;
    const onMessage = (message) => this.#take(message);
    this.#connection = new Connection({ getToken: told.getToken, onMessage });
  }

  /** Hears a room from a cursor on, or from where it is, if that is newer; also with a newer grant. */
  hear(room, grant, cursor) {
    const channel = channelOf(room);
    this.#grants.set(channel, grant);
    if (isNewer(cursor, this.#cursors[channel])) this.#cursors[channel] = cursor;
    this.#early.set(channel, []);
    const projects = [{ project_id: room, since: this.#cursors[channel], grant }];
    this.#connection.send({ action: 'subscribe', projects });
  }

  leave(room) {
    const channel = channelOf(room);
    this.#grants.delete(channel);
    delete this.#cursors[channel];
    this.#connection.send({ action: 'unsubscribe', project_id: room });
  }

  close() {
    this.#connection.close();
  }

  #take(message) {
    const { type, data, channel } = message;
    // An application's events may have names of the server's messages; only events have a channel.
    if (channel !== undefined) this.#receive(message);
    else if (type === 'connection') this.#begin(data.cursors);
    else if (type === 'resumed' || type === 'subscribed') this.#answered(data.channels ?? {});
    else if (type === 'unsubscribed' && data.reason) this.#lose(channelOf(data.project_id));
    else if (type === 'caught_up') this.#told.onCaughtUp();
    else if (type === 'error') this.#connection.restart(); // and presents the same cursors
  }

  /** Says where each channel was left; one command, so that what was missed comes in order. */
  #begin(cursors) {
    this.#cursors = { ...cursors, ...this.#cursors };
    this.#early = new Map(Object.keys(this.#cursors).map((channel) => [channel, []]));
    const grants = [...this.#grants.values()];
    this.#connection.send({ action: 'resume', cursors: this.#cursors, grants });
  }

  #answered(channels) {
    this.#connection.succeeded();
    for (const [channel, { recovered, cursor, code }] of Object.entries(channels)) {
      const early = this.#early.get(channel) ?? [];
      this.#early.delete(channel);
      if (recovered === false || code !== undefined) {
        this.#lose(channel, cursor);
        continue;
      }
      for (const message of early) this.#receive(message);
      this.#cursors[channel] = cursor;
    }
  }

  #receive(message) {
    const { type, data, channel, cursor } = message;
    const early = this.#early.get(channel);
    if (early !== undefined) {
      if (type !== 'resync') early.push(message);
    } else if (type === 'resync') {
      this.#lose(channel, data.cursor);
    } else if (cursor === undefined || isNewer(cursor, this.#cursors[channel])) {
      this.#cursors[channel] = cursor ?? this.#cursors[channel];
      this.#told.onEvent(message);
    }
  }

  #lose(channel, cursor) {
    if (cursor === undefined) {
      delete this.#cursors[channel];
      this.#grants.delete(channel);
    } else this.#cursors[channel] = cursor;
    this.#told.onLost(channel);
  }
}
