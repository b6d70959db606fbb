export { FakeClock } from './fake-clock.ts';
export { FakeConnection, type FakeMessage } from './fake-connection.ts';
export { makeEvent } from './make-event.ts';
export { RecordingSink } from './recording-sink.ts';
export { RecordingTelemetry } from './recording-telemetry.ts';
export { upTo } from './up-to.ts';
