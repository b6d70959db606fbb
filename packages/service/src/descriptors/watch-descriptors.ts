import type { Clock, Telemetry } from '@leque/core';
import { DescriptorWatch } from './descriptor-watch.ts';

const DETAIL = 'the process may open no more files (ulimit -n): new connections are refused';
/** The reason of `/readyz`. */
const REASON = 'no file descriptors left';

/** Notices a shortage of file descriptors in a process, and reports it. */
export function watchDescriptors(clock: Clock, telemetry: Telemetry): DescriptorWatch {
  return new DescriptorWatch({
    clock,
    changed(exhausted) {
      telemetry.report(
        exhausted
          ? { type: 'descriptors_exhausted', detail: DETAIL }
          : { type: 'descriptors_available' },
      );
    },
  });
}

export function shortageOf({ exhausted }: Pick<DescriptorWatch, 'exhausted'>): string[] {
  return exhausted ? [REASON] : [];
}
