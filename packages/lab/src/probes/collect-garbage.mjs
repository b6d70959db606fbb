// Loaded into a server on Node with --import where memory is measured: on SIGUSR2 it collects all
// garbage, so that its resident memory is what it holds, and not what it has not tidied up yet.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
process.on('SIGUSR2', () => collect({ type: 'major', execution: 'sync', flavor: 'last-resort' }));
