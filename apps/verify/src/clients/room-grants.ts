import { createGrantSigner } from '@leque/auth-jwt';
import type { GrantSpec } from './client-spec.ts';

/** So short that grants end and are renewed many times in each scenario. */
const GRANT_MS = 4000;
/** Refusals of a room whose grant has ended before the gateway read it, for example in a frozen process. */
const TOO_LATE = new Set<unknown>(['forbidden', 'grant_expired']);

/** The grants of one client for one project. */
export class RoomGrants {
  readonly #spec: GrantSpec;
  readonly #project: string;
  #timer: NodeJS.Timeout | undefined;

  constructor(spec: GrantSpec, project: string) {
    this.#spec = spec;
    this.#project = project;
  }

  /** Signs a grant for the next few seconds. */
  async sign(): Promise<string> {
    const { secret, userId } = this.#spec;
    const expiresAt = Date.now() + GRANT_MS;
    const signer = createGrantSigner({ JWT_SECRET: secret });
    const grant = await signer?.sign({ userId, projects: [this.#project], expiresAt });
    return grant ?? '';
  }

  /** Calls `renew` again and again, each time well before the grant ends; never for a client that lets it end. */
  renewInTime(renew: () => void): void {
    this.stop();
    if (this.#spec.renewed) this.#timer = setInterval(renew, GRANT_MS / 4);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Whether a refusal means only that the grant came too late. */
  isTooLate(code: unknown): boolean {
    return TOO_LATE.has(code);
  }
}
