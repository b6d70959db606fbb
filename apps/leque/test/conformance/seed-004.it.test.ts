import { startClustered, startEmbedded } from '../support/systems.ts';
import { describeSeed004 } from './seed-004.ts';

describeSeed004('embedded', startEmbedded);
describeSeed004('cluster', startClustered);
