/** Prints lines for people: to stderr when stdout carries results for a program. */
export function printer(isForPrograms = false): (line: string) => void {
  const stream = isForPrograms ? process.stderr : process.stdout;
  return (line) => stream.write(`${line}\n`);
}
