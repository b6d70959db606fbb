import type { TSchema } from 'typebox';
import type { Validator } from 'typebox/compile';

/** One problem of an input. `field` is a dotted path, empty for the input as a whole. */
export interface Problem {
  readonly field: string;
  readonly message: string;
}

interface SchemaError {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
}

interface ObjectSchema {
  readonly properties?: object;
  readonly additionalProperties?: unknown;
}

const UNKNOWN = 'is not a known field';
/** With more unknown fields only these are reported: the validator takes seconds for thousands. */
const MAX_UNKNOWN = 8;

/** The problems of `value`, in words for its author; empty when it fits the schema. */
export function findProblems(schema: TSchema, validator: Validator, value: unknown): Problem[] {
  if (validator.Check(value)) return [];
  const unknown = unknownFields(schema, value);
  if (unknown.length > MAX_UNKNOWN) {
    return unknown.slice(0, MAX_UNKNOWN).map((field) => ({ field, message: UNKNOWN }));
  }
  const errors = validator.Errors(value) as SchemaError[];
  const problems = errors.flatMap((error) => describe(schema, error));
  // The validator stops after some errors, so that none may be left here although the check failed.
  return problems.length > 0 ? problems : [{ field: '', message: 'does not fit its schema' }];
}

export function describeProblems(problems: readonly Problem[]): string {
  return problems.map(({ field, message }) => (field ? `${field} ${message}` : message)).join('; ');
}

function unknownFields(schema: TSchema, value: unknown): string[] {
  const { properties = {}, additionalProperties } = schema as ObjectSchema;
  if (additionalProperties !== false || typeof value !== 'object' || value === null) return [];
  return Object.keys(value).filter((name) => !Object.hasOwn(properties, name));
}

function describe(schema: TSchema, error: SchemaError): Problem[] {
  // Errors of single alternatives do not help; that of the whole lists what is allowed.
  if (error.schemaPath.includes('/anyOf/')) return [];
  const path = error.instancePath.split('/').slice(1);
  const at = (name?: string) => [...path, ...(name === undefined ? [] : [name])].join('.');
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'required':
      return (params['requiredProperties'] as string[]).map((name) => ({
        field: at(name),
        message: 'is required',
      }));
    case 'boolean': // the schema of every field that is not named
      return [{ field: at(), message: UNKNOWN }];
    case 'additionalProperties': // said field by field already
      return [];
    case 'enum':
      return [{ field: at(), message: `must be one of ${list(params['allowedValues'])}` }];
    case 'anyOf':
    case 'pattern':
    case 'format':
      return [{ field: at(), message: explain(schema, error) }];
    default:
      return [{ field: at(), message: error.message }];
  }
}

function list(values: unknown): string {
  return Array.isArray(values) ? values.join(', ') : String(values);
}

/** Prefers the description of the failed schema to its regular expression. */
function explain(schema: TSchema, error: SchemaError): string {
  let node: unknown = schema;
  for (const key of error.schemaPath.split('/').slice(1)) {
    node = (node as Record<string, unknown> | undefined)?.[key];
  }
  const description = (node as { description?: string } | undefined)?.description;
  return description === undefined ? error.message : `must be ${description}`;
}
