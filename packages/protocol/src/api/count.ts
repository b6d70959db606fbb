import { Type } from 'typebox';

/** The schema of a number of things. */
export function count(description: string) {
  return Type.Integer({ minimum: 0, description });
}
