import { findField } from './find-field.ts';
import type { Publication } from './publication.ts';

/** The `message_id` of an event, which is parsed only if it cannot be found otherwise. */
export function messageIdOf(publication: Publication): string | undefined {
  const found = findField(publication.body, 'message_id');
  if (found !== undefined) return found;
  const { message_id: id } = publication.event;
  return typeof id === 'string' ? id : undefined;
}
