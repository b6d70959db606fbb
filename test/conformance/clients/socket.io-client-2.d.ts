/** It has no types of its own; the tests use only what the newest types share. */
declare module 'socket.io-client-2.5.0' {
  export { io as default } from 'socket.io-client';
}
