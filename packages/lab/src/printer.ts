/** Where lines for people go: out of the way of results that a program reads. */
export function printer(isForPrograms = false): (line: string) => void {
  const stream = isForPrograms ? process.stderr : process.stdout;
  return (line) => stream.write(`${line}\n`);
}
