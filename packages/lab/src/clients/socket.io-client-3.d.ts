/** Its own types are where TypeScript does not look; what the tests use of it is the same. */
declare module 'socket.io-client-3.1.3' {
  export { io } from 'socket.io-client';
}
