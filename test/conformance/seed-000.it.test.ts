import { startClustered, startEmbedded } from '@leque/lab';
import { describeSeed000 } from './seed-000.ts';

describeSeed000('embedded', startEmbedded);
describeSeed000('cluster', startClustered);
