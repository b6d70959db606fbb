import { Grants, type Identity, type Scope } from '../src/access/grants.ts';
import { Publication } from '../src/publication/publication.ts';

export function publication(channel: string, offset: number, epoch = 'e'): Publication {
  return new Publication({ channel, type: 'tick', position: { epoch, offset }, json: '{"n":1}' });
}

/** A publication that is live only; its type is what a client of the test reads. */
export function livePublication(channel: string, type: string): Publication {
  return new Publication({ channel, type, position: undefined, json: '{"n":1}' });
}

export function identity(
  userId: string | undefined,
  projects: readonly string[] = ['P'],
  { scopes = [], expiresAt }: { scopes?: readonly Scope[]; expiresAt?: number } = {},
): Identity {
  return { userId, grants: new Grants({ userId, projects, scopes }), expiresAt };
}
