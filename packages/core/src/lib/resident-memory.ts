let lastKnown = 0;

/**
 * Resident memory of this process in bytes. Node opens a file to read it, which fails while the
 * process has no file descriptors left: then it is the last figure that could be read.
 */
export function residentBytes(): number {
  try {
    lastKnown = process.memoryUsage.rss();
  } catch {
    // There is nothing to report here: the shortage of descriptors is reported by itself.
  }
  return lastKnown;
}
