import { type Static, Type } from 'typebox';
import { MAX_CURSORS } from '../wire/commands.ts';
import { ID_RULE, Id, IdText } from '../wire/id.ts';

/** Seconds for which a grant is good when its request does not say it. */
export const GRANT_TTL_S = 600;
const MAX_TTL_S = 86_400;

const Project = Type.Union(Id.anyOf, {
  description: `${ID_RULE}; a grant names its projects, so * is none`,
});

/** The body of `POST /api/grants`. */
export const GrantRequest = Type.Object(
  {
    user_id: Id,
    projects: Type.Array(Project, {
      minItems: 1,
      maxItems: MAX_CURSORS,
      description: 'the projects that the user may hear, each once',
    }),
    ttl: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_TTL_S,
        default: GRANT_TTL_S,
        description: 'seconds until the grants end',
      }),
    ),
  },
  { additionalProperties: false },
);
export type GrantRequest = Static<typeof GrantRequest>;

/** A cursor in an answer of the API. */
const AnsweredCursor = Type.Optional(
  Type.String({ description: 'position of the channel; absent where no history is kept' }),
);

/** The answer to `POST /api/grants`: a grant for each project, in the order of the request. */
export const GrantsAnswer = Type.Object({
  grants: Type.Array(
    Type.Object({
      project_id: IdText,
      grant: Type.String({ description: 'the JWT that the client presents when it subscribes' }),
      cursor: AnsweredCursor,
      expires_at: Type.String({ description: 'RFC 3339, UTC' }),
    }),
  ),
});

/** The answer of `GET /api/channels/{channel}/cursor`. */
export const CursorAnswer = Type.Object({ channel: Type.String(), cursor: AnsweredCursor });
