/**
 * Reads the origin of a page, and writes it in the one way in which browsers do: lower case, no port where
 * it is the scheme's default, no dot at the end of the host. `null` and `file://` are origins as well.
 * @returns undefined for a text that is no origin, or more than one, such as an address with a path
 */
export function tryParsePageOrigin(text: string): string | undefined {
  if (text === 'null') return text;
  if (/^file:\/{2,3}$/i.test(text)) return 'file://';
  const url = URL.parse(text);
  if (url === null || url.host === '' || !hasOnlyAuthority(url, text)) return undefined;
  return `${url.protocol}//${authorityOf(url)}`;
}

/**
 * Whether a request whose `Host` is `name` asked the host of the page. The scheme is not compared, because a
 * proxy may have ended TLS; a name without a port stands for the default port of the page's scheme.
 */
export function isHostOf(origin: string, name: string): boolean {
  const page = URL.parse(origin);
  if (page === null || !/^https?:$/.test(page.protocol) || !HOST.test(name)) return false;
  const asked = URL.parse(`${page.protocol}//${name}`);
  return asked !== null && authorityOf(asked) === authorityOf(page);
}

/** A value of `Host`; the characters that it lacks would begin another part of a URL. */
const HOST = /^[^\s/@?#\\]+$/;

/** Whether `://` and the rest of the text is nothing but a host and a port, with a slash at most. */
function hasOnlyAuthority({ pathname, username, password }: URL, text: string): boolean {
  const isBare = /^[^/?#\\*]+:\/\/[^/?#\\*]+\/?$/.test(text);
  return isBare && (pathname === '/' || pathname === '') && username === '' && password === '';
}

/** URLs whose scheme browsers do not know keep the case of their host. */
function authorityOf({ hostname, port }: URL): string {
  const name = hostname.replace(/\.$/, '').toLowerCase();
  return port === '' ? name : `${name}:${port}`;
}
