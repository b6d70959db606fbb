/** Counts the sessions of each user on this node. */
export class UserSessions {
  readonly #sessions = new Map<string, number>();

  /** @returns the user's sessions after the change */
  add(userId: string, change: 1 | -1): number {
    const sessions = (this.#sessions.get(userId) ?? 0) + change;
    if (sessions > 0) this.#sessions.set(userId, sessions);
    else this.#sessions.delete(userId);
    return sessions;
  }
}
