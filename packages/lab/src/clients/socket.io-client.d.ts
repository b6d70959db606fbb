/** Their own types are not found by TypeScript; the tests use only what the newest types share. */
declare module 'socket.io-client-3.1.3' {
  export { io } from 'socket.io-client';
}

declare module 'socket.io-client-4.0.2' {
  export { io } from 'socket.io-client';
}
