// Rooms with a state: fetches the state of each, follows its events from there, and fetches it again
// when events were lost, and before its grant ends. docs/state-and-stream.md explains it.
import { channelOf } from './channels.js';
import { Stream } from './stream.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

export class RoomClient {
  #stream;
  #onEnded;
  #rooms = new Map(); // by channel: { room, load, timer, isLoading, failures }

  /**
   * @param told.getToken resolves to `{ url, token }`, anew for each connection
   * @param told.onEvent gets each event once, in the order of its channel
   * @param told.onEnded gets a room that the user may not hear any more
   * @param told.onGap gets a channel other than a room that has lost events, such as the user's own
   * @param told.onCaughtUp is called when all that was missed has come: after a connection, and after a
   *   room was joined
   */
  constructor({ getToken, onEvent, onEnded = () => {}, onGap = () => {}, onCaughtUp = () => {} }) {
    this.#onEnded = onEnded;
    const onLost = (channel) => {
      const entry = this.#rooms.get(channel);
      if (entry === undefined) onGap(channel);
      // All clients of a room may lose events at once; they should not ask for its state at once.
      else this.#reloadIn(entry, Math.random() * FIRST_PAUSE_MS);
    };
    this.#stream = new Stream({ getToken, onEvent, onLost, onCaughtUp });
  }

  /**
   * Hears a room.
   * @param load fetches the state of the room, and resolves to the `{ grant, cursor, expires_at }` that
   *   came with it, or to undefined where the user may not hear the room; rejects to be tried again
   */
  async join(room, load) {
    this.#rooms.set(channelOf(room), { room, load, failures: 0 });
    await this.reload(room);
  }

  leave(room) {
    this.#forget(room);
    this.#stream.leave(room);
  }

  close() {
    for (const { room } of this.#rooms.values()) this.#forget(room);
    this.#stream.close();
  }

  /** Fetches the state of a room, and goes on after it. */
  async reload(room) {
    const entry = this.#rooms.get(channelOf(room));
    if (entry === undefined || entry.isLoading) return;
    entry.isLoading = true;
    const right = await entry.load().catch(() => null);
    entry.isLoading = false;
    if (this.#rooms.get(channelOf(room)) !== entry) return; // it was left meanwhile
    if (right === undefined) {
      this.leave(room);
      this.#onEnded(room);
    } else if (right === null) {
      const bound = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** entry.failures);
      entry.failures += 1;
      this.#reloadIn(entry, Math.random() * bound);
    } else {
      entry.failures = 0;
      this.#reloadIn(entry, 0.8 * (Date.parse(right.expires_at) - Date.now()));
      this.#stream.hear(room, right.grant, right.cursor);
    }
  }

  #reloadIn(entry, ms) {
    clearTimeout(entry.timer);
    entry.timer = setTimeout(() => this.reload(entry.room), ms);
  }

  #forget(room) {
    const channel = channelOf(room);
    clearTimeout(this.#rooms.get(channel)?.timer);
    this.#rooms.delete(channel);
  }
}
