/** What is searched for secrets; the rest of a longer text is left out. */
const SEARCHED_LENGTH = 4096;

/** Patterns of secrets in texts of libraries, each with the text that takes its place. */
const SECRETS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // User and password of a URL, but no version in the path of a module; a password that is not encoded may contain any of / ? # @.
  [/\b(?!file:)([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s"'<>]*@/gi, '$1***@'],
  [/\b(token|api_?key|password|passwd|secret|jwt)=[^&\s"'<>]+/gi, '$1=***'],
  [/\b(Bearer|Basic)\s+[^\s"',;]+/gi, '$1 ***'],
  // A JSON Web Token, or the beginning of one: base64url of `{"` or `{ `.
  [/\bey[JAB][\w-]{6,}(?:\.[\w-]*){0,4}/g, '***'],
  // Redis repeats the arguments of a command that it does not know, be it AUTH or a publish.
  [/\bwith args beginning with:[\s\S]*$/i, 'with arguments'],
  // V8 repeats the beginning of the text that is not JSON.
  [/,? (?:\.\.\.)?"[\s\S]*"(?:\.\.\.)? is not valid JSON/g, ' is not valid JSON'],
];

/** Replaces passwords, tokens and payloads that libraries repeat in the texts of their errors. */
export function withoutSecrets(text: string): string {
  return SECRETS.reduce(
    (cleaned, [pattern, replacement]) => cleaned.replace(pattern, replacement),
    text.slice(0, SEARCHED_LENGTH),
  );
}
