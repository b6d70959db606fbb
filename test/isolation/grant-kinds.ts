import { hs256, inSeconds, rsaSigner, tokenFor, unsigned } from '@leque/lab';
import type { Random } from './random.ts';
import { channelFor, MEMBERS, type Persona, PROJECTS, USERS } from './world.ts';

/** A grant that somebody presents, and what it opens to the one who presents it. */
export interface MadeGrant {
  readonly kind: string;
  readonly grant: string;
  /** The projects that it opens to its presenter; none for a wrong one. */
  readonly opens: readonly string[];
}

interface Wanted {
  readonly presenter: Persona;
  readonly project: string;
  readonly random: Random;
}

const OTHER_SECRET = 'another-secret-of-more-than-thirty-two-characters';
const rsa = rsaSigner();

function claimsFor({ presenter, project }: Wanted): Record<string, unknown> {
  return { use: 'grant', sub: presenter.user, projects: [project], exp: inSeconds(600) };
}

function otherThan(id: string, { random }: Wanted): string {
  return random.of(PROJECTS.filter((each) => each !== id));
}

function changed(grant: string, claims: object): string {
  const [header, , signature] = grant.split('.');
  return [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
}

/** Grants that open the wanted project, with all that they open. */
const GOOD: Readonly<Record<string, (wanted: Wanted) => Omit<MadeGrant, 'kind'>>> = {
  good: (wanted) => ({ grant: hs256(claimsFor(wanted)), opens: [wanted.project] }),
  'good for two': (wanted) => {
    const projects = [otherThan(wanted.project, wanted), wanted.project];
    return { grant: hs256({ ...claimsFor(wanted), projects }), opens: projects };
  },
  'good, with claims that give nothing': (wanted) => ({
    grant: hs256({ ...claimsFor(wanted), scope: 'admin', userId: 'ops', project: '*' }),
    opens: [wanted.project],
  }),
};

/** Grants that open nothing to their presenter, or another project than the wanted one. */
const WRONG: Readonly<Record<string, (wanted: Wanted) => string>> = {
  'of another user': (wanted) => {
    const others = [...USERS, 'ops'].filter((user) => user !== wanted.presenter.user);
    return hs256({ ...claimsFor(wanted), sub: wanted.random.of(others) });
  },
  'of no user': (wanted) => hs256({ ...claimsFor(wanted), sub: undefined }),
  'of a user in another claim': (wanted) =>
    hs256({ ...claimsFor(wanted), sub: undefined, userId: wanted.presenter.user }),
  'of a list of users': (wanted) => hs256({ ...claimsFor(wanted), sub: [wanted.presenter.user] }),
  'for everything': (wanted) => hs256({ ...claimsFor(wanted), projects: ['*'] }),
  'for the project and everything': (wanted) =>
    hs256({ ...claimsFor(wanted), projects: [wanted.project, '*'] }),
  'for nothing': (wanted) => hs256({ ...claimsFor(wanted), projects: [] }),
  'for a text': (wanted) => hs256({ ...claimsFor(wanted), projects: wanted.project }),
  'for a list in a list': (wanted) => hs256({ ...claimsFor(wanted), projects: [[wanted.project]] }),
  'for too many': (wanted) => {
    const projects = [wanted.project, ...Array.from({ length: 512 }, (_, n) => `other-${n}`)];
    return hs256({ ...claimsFor(wanted), projects });
  },
  expired: (wanted) => hs256({ ...claimsFor(wanted), exp: inSeconds(-60) }),
  'without an end': (wanted) => hs256({ ...claimsFor(wanted), exp: undefined }),
  'not valid yet': (wanted) => hs256({ ...claimsFor(wanted), nbf: inSeconds(60) }),
  'with another key': (wanted) => hs256(claimsFor(wanted), OTHER_SECRET),
  'with another algorithm': (wanted) => rsa.rs256(claimsFor(wanted)),
  unsigned: (wanted) => unsigned(claimsFor(wanted)),
  changed: (wanted) => {
    const other = { ...claimsFor(wanted), projects: ['elsewhere'] };
    return changed(hs256(other), claimsFor(wanted));
  },
  'that is a token': (wanted) =>
    tokenFor(wanted.presenter.user ?? '', { projects: [wanted.project], scope: 'admin' }),
  "that is the presenter's token": ({ presenter }) => String(presenter.token),
  'with a misspelt use': (wanted) =>
    hs256({ ...claimsFor(wanted), use: wanted.random.of(['Grant', 'grants', ['grant'], 'GRANT']) }),
  'for another use, so that it is a token': (wanted) =>
    hs256({ ...claimsFor(wanted), use: wanted.random.of([true, 'token', 'sig']) }),
  'that is no JWT': ({ random }) => random.of(['x', 'a.b.c', '*', '{}', 'e30.e30.']),
};

/** Grants for another room than the wanted one; they open that one. */
const ELSEWHERE: Readonly<Record<string, (wanted: Wanted) => Omit<MadeGrant, 'kind'>>> = {
  'for another project': (wanted) => {
    const other = otherThan(wanted.project, wanted);
    return { grant: hs256({ ...claimsFor(wanted), projects: [other] }), opens: [other] };
  },
  'for the name of its channel': (wanted) => {
    const projects = [channelFor('project', wanted.project)];
    return { grant: hs256({ ...claimsFor(wanted), projects }), opens: projects };
  },
};

/** Makes one of all kinds of grants; every third one is good. */
export function makeGrant(wanted: Wanted): MadeGrant {
  const { random, presenter } = wanted;
  const choice = random.below(3);
  if (choice > 0) {
    const [kind, make] = random.of(Object.entries(choice === 1 ? GOOD : ELSEWHERE));
    const { grant, opens } = make(wanted);
    // A service has no user whom a grant could name.
    return { kind, grant, opens: presenter.user === undefined ? [] : opens };
  }
  const [kind, make] = random.of(Object.entries(WRONG));
  return { kind, grant: make(wanted), opens: [] };
}

/** The members who may present grants, with users and without. */
export const PRESENTERS = MEMBERS.filter(({ projects }) => !projects.includes('*'));
