import { IncomingMessage } from 'node:http';

type StoredUrl = IncomingMessage & { fullUrl?: string };

/**
 * Makes the class of a server's requests whose `url` lacks the base path. So every route, hook and upgrade sees
 * the same paths, whether or not a proxy strips the base path.
 */
export function requestsBeneath(basePath: string): typeof IncomingMessage {
  const Request = class extends IncomingMessage {};
  // Node sets `url` as it parses the head, before anybody sees the request.
  Object.defineProperty(Request.prototype, 'url', {
    configurable: true,
    get(this: StoredUrl) {
      return this.fullUrl;
    },
    set(this: StoredUrl, url: string) {
      this.fullUrl = withoutBase(url, basePath);
    },
  });
  return Request;
}

/** A path elsewhere stays as it is: probes ask a process by itself, and some proxies strip the base path. */
export function withoutBase(url: string, basePath: string): string {
  if (!url.startsWith(basePath)) return url;
  const rest = url.slice(basePath.length);
  if (rest.startsWith('/')) return rest;
  return rest === '' || rest.startsWith('?') ? `/${rest}` : url;
}
