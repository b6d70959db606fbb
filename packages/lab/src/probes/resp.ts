const CRLF = Buffer.from('\r\n');

/** Encodes a Redis command as clients send it (RESP). */
export function respCommand(...args: readonly (string | Buffer)[]): Buffer {
  const parts = args.flatMap((arg) => {
    const bytes = Buffer.from(arg);
    return [Buffer.from(`$${bytes.length}\r\n`), bytes, CRLF];
  });
  return Buffer.concat([Buffer.from(`*${args.length}\r\n`), ...parts]);
}
