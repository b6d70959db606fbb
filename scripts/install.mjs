// Makes the workspace ready to run; npm calls it before every script, so that a fresh clone needs
// one command. This file checks the machine's own Node first, so it contains nothing that an old
// Node cannot parse; install-workspace.mjs does the work.
const oldest = [20, 19];
const version = process.versions.node.split('.').map(Number);

if (version[0] > oldest[0] || (version[0] === oldest[0] && version[1] >= oldest[1])) {
  void import('./install-workspace.mjs'); // without `await`, which is newer
} else {
  const needed = `Leque needs Node ${oldest.join('.')} or newer, and this is ${process.versions.node}.`;
  process.stderr.write(`${needed} Install Node 24 from https://nodejs.org and try again.\n`);
  process.exit(1);
}
