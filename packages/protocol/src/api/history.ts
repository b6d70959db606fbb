import { Type } from 'typebox';

/** The answer of `GET /api/channels/{channel}/history`: publications, oldest first. */
export const HistoryAnswer = Type.Object({
  channel: Type.String(),
  cursor: Type.Optional(Type.String({ description: 'position of the newest publication' })),
  complete: Type.Boolean({ description: 'false when publications after `since` are gone' }),
  more: Type.Boolean({ description: 'true when there are further publications' }),
  publications: Type.Array(Type.Object({}, { description: 'an envelope as clients get it' })),
});
