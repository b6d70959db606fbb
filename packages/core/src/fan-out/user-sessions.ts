/** How many sessions each user has on this node. */
export class UserSessions {
  readonly #sessions = new Map<string, number>();

  /** @returns how many there are now */
  add(userId: string, change: 1 | -1): number {
    const sessions = (this.#sessions.get(userId) ?? 0) + change;
    if (sessions > 0) this.#sessions.set(userId, sessions);
    else this.#sessions.delete(userId);
    return sessions;
  }
}
