import { startClustered, startEmbedded } from '@leque/lab';
import { describeSeed004 } from './seed-004.ts';

describeSeed004('embedded', startEmbedded);
describeSeed004('cluster', startClustered);
