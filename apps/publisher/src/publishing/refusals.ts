import { ProtocolError } from '@leque/protocol';
import { RequestError } from '@leque/service';

export function forbidden(channel: string): ProtocolError {
  const message = `this token does not allow publishing to ${channel}; the scope publish:all does`;
  return new ProtocolError('forbidden', message);
}

export function tooLarge(maxEventBytes: number, bytes: number | 'more'): RequestError {
  const limit = `an event has at most ${maxEventBytes} bytes (MAX_EVENT_SIZE)`;
  return new RequestError('payload_too_large', `${limit}, this one has ${bytes}`);
}
