/** A startup failure that the operator can fix; only its message is printed. */
export class StartError extends Error {
  override readonly name = 'StartError';
  /** The exit code of the process. */
  readonly exitCode: number = 1;
}

/** Redis, or what else carries the publications, cannot be used, and waiting cannot help. */
export class BrokerRefusedError extends StartError {
  override readonly exitCode = 3;
}

/** @param variable the variable that chooses the port */
export function busyPort(port: number, variable: string): StartError {
  return new StartError(busyPortSentence(port, variable));
}

/**
 * A sentence for an error of `listen` that the operator can fix by HOST or PORT; undefined for other
 * errors.
 */
export function tryDescribeListenError(error: unknown): string | undefined {
  if (!isListenError(error)) return undefined;
  const { code, address = '', port = 0 } = error;
  switch (code) {
    case 'EADDRINUSE':
      return busyPortSentence(port, 'PORT');
    case 'EADDRNOTAVAIL':
      return `HOST=${address} is no address of this machine`;
    case 'EAFNOSUPPORT':
      return `HOST=${address} is an address of IPv6, which this machine does not have; set HOST=0.0.0.0`;
    case 'EACCES':
      return `Port ${port} is for privileged users only; choose a port from 1024 on with PORT`;
    default:
      return undefined;
  }
}

/**
 * Rejects the start where HOST is a name that nobody knows, and with the error itself otherwise.
 * @param error an error of `listen`; resolving a name is a part of it
 */
export function refuseListenError(error: unknown): never {
  if (!(error instanceof Error) || !('hostname' in error)) throw error;
  const sentence = `HOST=${error.hostname} is neither an address nor a name that this machine knows`;
  throw new StartError(sentence, { cause: error });
}

function busyPortSentence(port: number, variable: string): string {
  const other = port < 65_535 ? port + 1 : port - 1;
  return (
    `Port ${port} is in use, perhaps by another Leque: stop that one, ` +
    `or choose another port, for example ${variable}=${other}`
  );
}

interface ListenError extends Error {
  readonly code?: string;
  readonly syscall?: string;
  readonly address?: string;
  readonly port?: number;
}

function isListenError(error: unknown): error is ListenError {
  return error instanceof Error && 'syscall' in error && error.syscall === 'listen';
}
