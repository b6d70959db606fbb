import type { TSchema } from 'typebox';
import type { Validator } from 'typebox/compile';

/** One thing that is wrong with an input: where (dotted path, empty for the whole) and what. */
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
/** With more of them, nothing else is looked at: the validator would take seconds for thousands. */
const MAX_UNKNOWN = 8;

/** What is wrong with `value`, in words for its author; empty when it fits. */
export function findProblems(schema: TSchema, validator: Validator, value: unknown): Problem[] {
  if (validator.Check(value)) return [];
  const unknown = unknownFields(schema, value);
  if (unknown.length > MAX_UNKNOWN) {
    return unknown.slice(0, MAX_UNKNOWN).map((field) => ({ field, message: UNKNOWN }));
  }
  const errors = validator.Errors(value) as SchemaError[];
  const problems = errors.flatMap((error) => describe(schema, error));
  // The validator stops after some errors: what it says never decides whether there are any.
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
  // What is wrong with each of several alternatives helps nobody; the whole says what it may be.
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

/** The description of the schema that failed says more than its regular expression, or its parts. */
function explain(schema: TSchema, error: SchemaError): string {
  let node: unknown = schema;
  for (const key of error.schemaPath.split('/').slice(1)) {
    node = (node as Record<string, unknown> | undefined)?.[key];
  }
  const description = (node as { description?: string } | undefined)?.description;
  return description === undefined ? error.message : `must be ${description}`;
}
