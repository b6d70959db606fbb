/** Text as it may stand between tags and in attributes. */
export function escapeText(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

export type Attributes = Readonly<Record<string, string | number>>;

/** An element; its content must be escaped. */
export function element(name: string, attributes: Attributes, ...content: string[]): string {
  const written = Object.entries(attributes).map(([key, value]) => {
    const text = typeof value === 'number' ? String(Math.round(value * 100) / 100) : value;
    return ` ${key}="${escapeText(text)}"`;
  });
  return `<${name}${written.join('')}>${content.join('')}</${name}>`;
}

/** SVG text; `anchor` is the end of the text that is placed at x. */
export function svgText(
  text: string,
  at: { readonly x: number; readonly y: number },
  { className, anchor = 'start' }: { className: string; anchor?: 'start' | 'middle' | 'end' },
): string {
  return element('text', { ...at, class: className, 'text-anchor': anchor }, escapeText(text));
}
